import { type HostState, readHostState } from './host-state.js'

/** Reads the slow figures of the machine in the background, at most once in a while. */
export class HostWatch {
  readonly #intervalMs: number
  readonly #read: () => Promise<HostState>
  #nextMs = Number.NEGATIVE_INFINITY
  #latest: HostState | undefined

  /** @param intervalMs 0: never */
  constructor(intervalMs: number, read = readHostState) {
    this.#intervalMs = intervalMs
    this.#read = read
  }

  /** What was read last. */
  get latest(): HostState | undefined {
    return this.#latest
  }

  /** Reads if it is time, and waits for nothing. */
  refresh(nowMs: number): void {
    if (this.#intervalMs === 0 || nowMs < this.#nextMs) return
    this.#nextMs = nowMs + this.#intervalMs
    this.#read().then(
      (state) => {
        this.#latest = state
      },
      () => {
        // What cannot be read is not known; the figures of /proc are there all the same.
      },
    )
  }
}
