import { closeSync, fstatSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const LOOK_MS = 1_000

/**
 * Keeps the files that this process prints to from growing for ever while no daemon reads them: what is older than the
 * last `keptBytes`, which no log would keep, takes no room on the disk any more.
 */
export function boundOutput(output: { directory: string; keptBytes: number }): void {
  let freed = { stdout: 0, stderr: 0 }
  setInterval(() => {
    for (const [stream, fd] of [
      ['stdout', 1],
      ['stderr', 2],
    ] as const) {
      try {
        const end = fstatSync(fd).size - output.keptBytes
        const from = Math.min(freed[stream], end)
        if (end - from < output.keptBytes / 4 || end <= 0) continue
        freeOnDisk(join(output.directory, stream), from, end - from)
        freed = { ...freed, [stream]: end }
      } catch {
        // The daemon says what cannot be freed.
      }
    }
  }, LOOK_MS).unref()
}

/** What frees it is loaded where it is needed, which is rare. */
function freeOnDisk(file: string, from: number, length: number) {
  const { trimSync } = createRequire(import.meta.url)(
    'fs-native-extensions',
  ) as typeof import('fs-native-extensions')
  const fd = openSync(file, 'r+')
  try {
    trimSync(fd, from, length)
  } finally {
    closeSync(fd)
  }
}
