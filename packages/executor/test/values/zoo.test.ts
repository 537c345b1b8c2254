import { fromSource, ZOO } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

/** The ways by which a value of a guest reaches the host. */
const GUEST_DOORS = [
  ['thrown', 'throw value'],
  ['thrown later', 'await null; throw value'],
  ['thrown as a cause', 'throw new Error("outer", { cause: value })'],
  ['thrown in a timer', 'await new Promise(() => setTimeout(() => { throw value }, 1))'],
  ['returned', 'return value'],
  ['returned inside', 'return { deep: [value] }'],
  ['logged', 'ctx.log.info(value, value); console.log(value)'],
  ['emitted', 'await ctx.emit("a.b", value, value)'],
  ['emitted as a type', 'await ctx.emit(value)'],
  ['an argument', 'return (await ctx.call("host", "take", value)) === 1'],
  ['a name', 'await ctx.call(value, value)'],
  ['thrown back by the host', 'await ctx.call("host", "throwArgument", value)'],
  ['thrown back as a cause', 'await ctx.call("host", "throwCause", value)'],
  ['echoed', 'await ctx.call("host", "echo", value)'],
  ['fetched', 'await fetch(value, value)'],
  ['the time of a timer', 'setTimeout(() => {}, value)'],
] as const

const endings = ['success', 'error']
const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('%s,', (mode, runtime) => {
  // The engine's own loops cannot be stopped on the calling thread.
  const guestZoo = ZOO.filter(([name]) => mode !== 'inline' || !name.includes('without an end'))
  let hostValue: unknown
  runtime.extend('host', {
    take: () => 1,
    echo: (value: unknown) => value,
    throwArgument: (value: unknown) => {
      throw value
    },
    throwCause: (cause: unknown) => {
      throw new Error('of the host', { cause })
    },
    giveZoo: () => hostValue,
    throwZoo: () => {
      throw hostValue
    },
    rejectZoo: () => Promise.reject(hostValue),
    throwZooAsCause: () => {
      throw new Error('of the host', { cause: hostValue })
    },
  })
  const context = {
    event: null,
    capabilities: ['events:emit:>', 'ext:host', 'net:*'],
    secrets: { KEY: 'a secret value' },
  }
  const limits = { timeoutMs: 5_000, memoryLimitBytes: 64 * 1024 * 1024 }

  const stillWorks = async () => {
    await new Promise(setImmediate)
    expect(unhandled.splice(0)).toEqual([])
    const { value } = await runtime.executeHandler(handler('return event + 1'), { event: 1 })
    expect(value).toBe(2)
  }

  it.each(GUEST_DOORS)(
    'a value of the guest gives a result, whatever it is: %s',
    async (_d, body) => {
      const makers = guestZoo.map(([, source]) => `() => (${source})`)
      const code = handler(`const value = [${makers.join(',\n')}][event](); ${body}`)
      const run = async (event: number, timeoutMs: number) => {
        const { status, error } = await runtime.executeHandler(
          code,
          { ...context, event },
          { ...limits, timeoutMs },
        )
        return { name: guestZoo[event]![0], isEnding: endings.includes(status), error }
      }
      // What has no end is stopped together with its thread, so it runs when no other call does.
      const events = [...guestZoo.keys()]
      const isEndless = (event: number) => guestZoo[event]![0].includes('without an end')
      const ends = await Promise.all(
        events.filter((event) => !isEndless(event)).map((event) => run(event, 20_000)),
      )
      for (const event of events.filter(isEndless)) ends.push(await run(event, 400))
      for (const { name, isEnding, error } of ends) {
        expect(isEnding, name).toBe(true)
        expect(error?.code, name).not.toBe('INTERNAL_ERROR')
        expect(typeof (error?.message ?? ''), name).toBe('string')
        expect(JSON.stringify(error ?? null).length, name).toBeLessThan(300_000)
      }
      await stillWorks()
    },
  )

  it.each(['giveZoo', 'throwZoo', 'rejectZoo', 'throwZooAsCause'])(
    'a value of the host is an answer to the guest, whatever it is: %s',
    async (method) => {
      const code = handler(`
      try { return { given: typeof await ctx.call('host', '${method}', event) } }
      catch (e) { return [e instanceof Error, typeof e.name, typeof e.message, e.message.length < 17000] }`)
      for (const [name, source] of ZOO) {
        hostValue = fromSource(source)
        const { value, error } = await runtime.executeHandler(code, context, limits)
        expect(error, name).toBeUndefined()
        if (method !== 'giveZoo' || Array.isArray(value)) {
          expect(value, name).toEqual([true, 'string', 'string', true])
        }
      }
      await stillWorks()
    },
  )

  // `JSON.stringify` itself never ends for the one that is left out: it is for the embedder not to make one.
  it.each(ZOO.filter(([name]) => !name.includes('without an end')))(
    'an event is handed over, or refused by an ExecutorError: %s',
    async (_n, source) => {
      const event = fromSource(source)
      const settled = await runtime
        .executeHandler(handler('return 1'), { ...context, event }, limits)
        .catch((error: unknown) => error)
      expect(settled).toSatisfy(
        (value: { status?: string; code?: string }) =>
          value.code === 'INVALID_OPTIONS' || endings.includes(value.status!),
      )
      await stillWorks()
    },
  )

  it.each(ZOO)('what a wrapper of host calls throws changes no answer: %s', async (_n, source) => {
    const thrown = fromSource(source)
    const { value } = await runtime.executeHandler(
      handler('return ctx.call("host", "echo", 7)'),
      {
        ...context,
        aroundHostCall: () => {
          throw thrown
        },
      },
      limits,
    )
    expect(value).toBe(7)
    await stillWorks()
  })
})
