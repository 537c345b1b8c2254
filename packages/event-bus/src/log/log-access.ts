import type { CommitQueue } from './commit-queue.js'
import type { LogEngine, LogHead } from './log-engine.js'
import type { LogGroup } from './log-group.js'

/** What replay and dead letters need of the store. */
export interface LogAccess {
  engine: LogEngine
  queue: CommitQueue
  head: LogHead
  groupOf(name: string): LogGroup | undefined
}
