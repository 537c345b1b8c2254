import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Lets processes go on that this one had stopped, should it be killed at that moment: a shell that waits for the end of
 * its input, and continues the process groups of the last line it read. It ends with this process.
 */
export class ContinuationGuard {
  readonly #groups = new Set<number>()
  #shell: ChildProcess | undefined

  add(group: number): void {
    this.#groups.add(group)
    this.#tell()
  }

  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell()
  }

  #tell() {
    if (this.#shell === undefined) {
      this.#shell = spawn('sh', ['-c', SCRIPT], {
        // In a group of its own: what kills the daemon's must leave it.
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
      })
      this.#shell.unref()
      // Without a shell, or when it was killed, there is no guard: the next daemon continues what it adopts.
      this.#shell.on('error', () => {})
      this.#shell.stdin?.on('error', () => {})
      this.#shell.once('exit', () => {
        this.#shell = undefined
      })
    }
    this.#shell.stdin?.write(`${[...this.#groups].join(' ')}\n`)
  }
}

const SCRIPT =
  'while read -r line; do groups=$line; done; for group in $groups; do kill -s CONT -- "-$group"; done'
