import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'

const MAX_MEMORY_BYTES = 1024 * 1024 * 1024
const LOOK_EVERY_MS = 50
/** What `/proc/<pid>/statm` counts in. Some kernels of arm64 count in more, and so allow more. */
const PAGE_BYTES = 4096

/** Ends esbuild's process when it holds too much memory. */
export class EsbuildMemory {
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #users = 0
  readonly #maxBytes: number

  constructor(maxBytes = MAX_MEMORY_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** Esbuild has started a process. */
  started(child: ChildProcess): void {
    this.#child = child
  }

  /** Watches while work is under way. Where there is no `/proc`, only the time of a build bounds its memory. */
  watch(): () => void {
    this.#users++
    this.#timer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS).unref()
    return () => {
      if (--this.#users > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  async #look(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const statm = await readFile(`/proc/${child.pid}/statm`, 'latin1').catch(() => '')
    const residentBytes = Number(statm.split(' ')[1]) * PAGE_BYTES
    if (residentBytes > this.#maxBytes) child.kill('SIGKILL')
  }
}

/** Esbuild is one process for the whole Node process. */
export const esbuildMemory = new EsbuildMemory()
