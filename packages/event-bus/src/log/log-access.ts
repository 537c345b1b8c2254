import type { CommitQueue } from './commit/commit-queue.js'
import type { LogGroup } from './group/log-group.js'
import type { LogEngine, LogHead } from './log-engine.js'

/** What replay and dead letters need of the store. */
export interface LogAccess {
  engine: LogEngine
  queue: CommitQueue
  head: LogHead
  groupOf(name: string): LogGroup | undefined
}
