import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const hang = 'new Array(2 ** 32 - 1).join()'
const waits = handler('return ctx.call("host", "never")')

function openShared() {
  const runtime = openRuntime({ threads: 1 }).extend('host', { never: () => new Promise(() => {}) })
  const wait = (timeoutMs: number) =>
    runtime.executeHandler(waits, { event: null, capabilities: ['ext:host'] }, timeoutMs)
  return { runtime, wait }
}

/** The other call may stay for hours: the test only ends when the watchdog goes by the short one. */
const HOURS = 5 * 3_600_000

describe('of several calls on one thread, the watchdog uses the shortest deadline,', () => {
  it('though a call with a longer one came before', async () => {
    const { runtime, wait } = openShared()
    const long = wait(HOURS)
    await expect.poll(() => runtime.getStats().running).toBe(1)
    expect((await runtime.executeHandler(handler(hang), { event: null }, 100)).error?.code).toBe(
      'TIMEOUT',
    )
    expect((await long).error?.code).toBe('INTERNAL_ERROR')
  })

  it('though a call with a longer one came after', async () => {
    const { runtime, wait } = openShared()
    const body = `await new Promise((r) => setTimeout(r, 300)); return ${hang}`
    const short = runtime.executeHandler(handler(body), { event: null }, 600)
    await expect.poll(() => runtime.getStats().running).toBe(1)
    const long = wait(HOURS)
    expect((await short).error?.code).toBe('TIMEOUT')
    expect((await long).error?.code).toBe('INTERNAL_ERROR')
  })
})
