import { RecordingLogger } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

/** Behaves until it is told to spin where no interrupt reaches it. */
const sleeper = handler('return event === "spin" ? new Array(2 ** 32 - 1).join() : event')
const LIMIT_MS = 150

/** One thread, so that every call is a neighbour of every other, and calls known to be short, so that they are sent ahead. */
async function openNeighbourhood(neighbour: string) {
  const logger = new RecordingLogger()
  const runtime = openRuntime({ threads: 1, logger })
  const spin = () => runtime.executeHandler(sleeper, { event: 'spin' }, LIMIT_MS)
  const call = (event: unknown) =>
    runtime.executeHandler(neighbour, { event, capabilities: ['ext:host'] })
  for (let i = 0; i < 20; i++) await runtime.executeHandler(sleeper, { event: i })
  return { runtime, spin, call, logger }
}

describe('when the thread of a call is killed', () => {
  it('what it had counted stays counted', async () => {
    const { runtime, spin } = await openNeighbourhood(handler('return event'))
    const rewinds = () =>
      runtime.getStats().engines.reduce((sum, { pool }) => sum + pool.rewinds, 0)
    const before = rewinds()
    expect(before).toBeGreaterThanOrEqual(20)
    expect((await spin()).error?.code).toBe('TIMEOUT')
    expect(rewinds()).toBeGreaterThanOrEqual(before)
  })

  it('calls that were sent to it are run again, and succeed', async () => {
    const { runtime, spin, call, logger } = await openNeighbourhood(handler('return event * 2'))
    for (let i = 0; i < 20; i++) await call(i)
    const spinning = spin()
    const neighbours = Array.from({ length: 30 }, (_, n) => call(n))
    await new Promise(setImmediate)
    expect(runtime.getStats().running).toBeGreaterThan(1)

    expect((await spinning).error).toMatchObject({ code: 'TIMEOUT' })
    const results = await Promise.all(neighbours)
    expect(results.map(({ value }) => value)).toEqual(Array.from({ length: 30 }, (_, n) => n * 2))
    expect(runtime.getStats()).toMatchObject({ threadKills: 1, threadCrashes: 0 })
    expect(logger.messages('warn')).toEqual([
      'a thread was ended, because its call did not stop at its time limit',
    ])
  })

  it('a neighbour that waits for a timer is run again, and succeeds', async () => {
    const { runtime, spin, call } = await openNeighbourhood(
      handler('await new Promise((r) => setTimeout(r, 100)); return event'),
    )
    const waiting = call('woken')
    await runtime.executeHandler(sleeper, { event: 1 })
    await spin()
    expect((await waiting).value).toBe('woken')
  })

  it('a neighbour that waits for the host fails as retryable, as running it again would call twice', async () => {
    const { runtime, spin, call } = await openNeighbourhood(
      handler('return ctx.call("host", "ask", event)'),
    )
    const answers: ((value: string) => void)[] = []
    const asked = new Promise<void>((resolve) => {
      runtime.extend('host', {
        ask: () => {
          resolve()
          return new Promise<string>((settle) => answers.push(settle))
        },
      })
    })
    const waiting = call('question')
    await asked
    await spin()
    expect((await waiting).error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
    expect(answers).toHaveLength(1)

    // The answer finds neither the thread nor the call, and does no harm to the next.
    answers[0]?.('too late')
    const next = call('again')
    while (answers.length < 2) await new Promise(setImmediate)
    answers[1]?.('in time')
    expect((await next).value).toBe('in time')
  })

  it('the one to blame is told apart from a neighbour of the same handler', async () => {
    const { runtime, spin } = await openNeighbourhood(sleeper)
    const spinning = spin()
    const same = Promise.all(
      Array.from({ length: 5 }, (_, n) => runtime.executeHandler(sleeper, { event: n })),
    )
    expect((await spinning).error?.code).toBe('TIMEOUT')
    expect((await same).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4])
  })
})

describe('a handler that keeps forcing kills', () => {
  it('runs on a thread of its own, where it harms no other handler, until its calls have ended well for a while', async () => {
    const { runtime, spin, call } = await openNeighbourhood(handler('return event'))
    for (let kills = 1; kills <= 3; kills++) {
      expect(runtime.getStats().confinedHandlers).toBe(0)
      await spin()
      expect(runtime.getStats().threadKills).toBe(kills)
    }
    expect(runtime.getStats().confinedHandlers).toBe(1)

    const spinning = spin()
    const order: string[] = []
    void spinning.then(() => order.push('spinner'))
    for (let i = 0; i < 20; i++) expect((await call(i)).value).toBe(i)
    order.push('neighbours')
    await spinning
    expect(order).toEqual(['neighbours', 'spinner'])

    for (let i = 0; i < 20; i++) await runtime.executeHandler(sleeper, { event: i })
    expect(runtime.getStats().confinedHandlers).toBe(0)
  })
})
