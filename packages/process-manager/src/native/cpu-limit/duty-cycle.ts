import { readUsage } from '../daemon/instance/process-usage.js'

/** How long a busy process runs between two looks at it. */
const BUSY_WINDOW_MS = 50
const IDLE_WINDOW_MS = 250
/** CPU time a process may have saved up, so that a short burst is not held back. */
const MAX_SAVED_MS = 50

/**
 * Stops a process whenever it has used more CPU time than its share so far, for as long as the share needs to catch up.
 * An error of one round (the kernel counts in 10 ms) is made good in the next.
 */
export class DutyCycle {
  readonly #share: number
  #timer: NodeJS.Timeout
  #stopped = false
  /** CPU time that the process may still use; negative when it owes some. */
  #balanceMs = 0
  #lastCpuMs: number | null
  #lastLookMs = performance.now()

  constructor(
    private readonly pid: number,
    percent: number,
    private readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void,
    private readonly usage: (pid: number) => { cpuMs: number } | null = readUsage,
  ) {
    this.#share = percent / 100
    this.#lastCpuMs = usage(pid)?.cpuMs ?? null
    this.#timer = setTimeout(() => this.#look(), BUSY_WINDOW_MS).unref()
  }

  lift(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) this.#continue()
  }

  #look() {
    const cpuMs = this.usage(this.pid)?.cpuMs ?? null
    const now = performance.now()
    const elapsedMs = now - this.#lastLookMs
    // Where its use cannot be read cheaply, it counts as busy whenever it was let run.
    const usedMs =
      cpuMs === null || this.#lastCpuMs === null
        ? this.#stopped
          ? 0
          : elapsedMs
        : cpuMs - this.#lastCpuMs
    const allowedMs = elapsedMs * this.#share
    this.#balanceMs = Math.min(MAX_SAVED_MS, this.#balanceMs + allowedMs - usedMs)
    this.#lastCpuMs = cpuMs
    this.#lastLookMs = now
    if (this.#balanceMs >= 0) {
      this.#continue()
      this.#again(usedMs < allowedMs / 2 ? IDLE_WINDOW_MS : BUSY_WINDOW_MS)
      return
    }
    if (!this.#stopped) {
      this.#stopped = true
      this.signal('SIGSTOP')
    }
    this.#again(-this.#balanceMs / this.#share)
  }

  #continue() {
    if (!this.#stopped) return
    this.#stopped = false
    this.signal('SIGCONT')
  }

  #again(delayMs: number) {
    this.#timer = setTimeout(() => this.#look(), Math.max(5, delayMs)).unref()
  }
}
