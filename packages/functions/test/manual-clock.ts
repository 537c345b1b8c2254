import type { Clock } from '@nexus/event-bus'
import { expect } from 'vitest'

/** A clock that a test turns by hand. */
export class ManualClock implements Clock {
  #wallMs: number
  #monotonicMs = 0
  readonly #timers = new Set<{ atMs: number; callback: () => void }>()

  constructor(time: string) {
    this.#wallMs = Date.parse(time)
  }

  now(): number {
    return this.#wallMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Sets the wall clock; no time passes. */
  set(time: string): void {
    this.#wallMs = Date.parse(time)
  }

  /** Lets time pass until the wall clock shows this; each timer that fires has its successor before time goes on. */
  async passUntil(time: string): Promise<void> {
    const endMs = this.#monotonicMs + Date.parse(time) - this.#wallMs
    await this.settled()
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs)
      const atMs = Math.min(next?.atMs ?? endMs, endMs)
      this.#wallMs += atMs - this.#monotonicMs
      this.#monotonicMs = atMs
      if (next === undefined || next.atMs > endMs) return
      const waiting = this.#timers.size
      this.#timers.delete(next)
      next.callback()
      await this.settled(waiting)
    }
  }

  /** Calls every timer that waits, whenever it is due. */
  fire(): void {
    for (const timer of this.#timers) {
      this.#timers.delete(timer)
      timer.callback()
    }
  }

  /** Resolves when so many timers wait. */
  async settled(timers = this.#timers.size): Promise<void> {
    await expect.poll(() => this.#timers.size, { interval: 1 }).toBe(timers)
  }
}
