import { closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Where a process prints to: files, since a pipe needs a reader that lives. */
export interface ProcessOutput {
  /** Absolute path of the directory that holds them. */
  directory: string
  /** The last part of `directory`. */
  name: string
  /** The file for stdout, open. */
  stdout: number
  /** The file for stderr, open. */
  stderr: number
  /** Closes both, once the process has them. */
  close(): void
}

/** What the name of each directory begins with that this process makes. */
export const OWN_PREFIX = `p${process.pid}_`

/** Makes files for one process, `stdout` and `stderr` in a directory of their own. */
export function createProcessOutput(parent: string): ProcessOutput {
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  const directory = mkdtempSync(join(parent, OWN_PREFIX))
  // Appended to, so that it may be emptied, and so that what several processes write does not overlap.
  const stdout = openSync(join(directory, 'stdout'), 'a', 0o600)
  const stderr = openSync(join(directory, 'stderr'), 'a', 0o600)
  return {
    directory,
    name: basename(directory),
    stdout,
    stderr,
    close: () => {
      closeSync(stdout)
      closeSync(stderr)
    },
  }
}
