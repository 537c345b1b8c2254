import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DutyCycle } from './duty-cycle.js'

/** A process that wants the whole core, or some of it, and is counted in steps of 10 ms as the kernel does. */
function program(wantsPercent: number, counted: boolean) {
  let [usedMs, lookedAt, running] = [0, performance.now(), true]
  const settle = () => {
    if (running) usedMs += ((performance.now() - lookedAt) * wantsPercent) / 100
    lookedAt = performance.now()
  }
  return {
    signal: (signal: string) => {
      settle()
      running = signal === 'SIGCONT'
    },
    usage: () => {
      settle()
      return counted ? { cpuMs: Math.floor(usedMs / 10) * 10 } : null
    },
    get running() {
      return running
    },
    percentOver(elapsedMs: number) {
      settle()
      return (usedMs / elapsedMs) * 100
    },
  }
}

describe('A duty cycle', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it.each([
    [50, true],
    [10, true],
    [90, true],
    [50, false],
  ])('holds a loop to %i percent (usage known: %s)', (percent, counted) => {
    const loop = program(100, counted)
    const limit = new DutyCycle(1, percent, loop.signal, loop.usage)
    vi.advanceTimersByTime(5_000)
    expect(Math.abs(loop.percentOver(5_000) - percent)).toBeLessThan(5)
    limit.lift()
    expect(loop.running).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('never stops a process below its limit', () => {
    const modest = program(30, true)
    const signal = vi.fn()
    new DutyCycle(1, 50, signal, modest.usage)
    vi.advanceTimersByTime(5_000)
    expect(signal).not.toHaveBeenCalled()
  })
})
