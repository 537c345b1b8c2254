import { setTimeout as pause } from 'node:timers/promises'
import type { LogQuery, ServiceLogLine } from '../../process-engine.js'
import { parseLogLine } from '../../service/log-line.js'
import { LogFollower } from './log-follower.js'
import { lastLines } from './log-tail.js'

/** How often a followed log is looked at. */
const FOLLOW_MS = 100

/**
 * The last lines of a service's log, across the files that were set aside, and those that come.
 *
 * @param file the log that is written now
 */
export async function* readLog(
  file: string,
  name: string,
  { lines = 100, follow = false, signal }: LogQuery,
): AsyncIterable<ServiceLogLine> {
  const follower = new LogFollower(file)
  try {
    yield* parsed(name, lastLines(file, follower.current, lines))
    while (follow && !signal?.aborted) {
      yield* parsed(name, follower.newLines())
      await pause(FOLLOW_MS, undefined, signal ? { signal } : {}).catch(() => {})
    }
  } finally {
    follower.close()
  }
}

function* parsed(name: string, lines: readonly string[]) {
  for (const text of lines) {
    const line = parseLogLine(name, text)
    if (line !== null) yield line
  }
}
