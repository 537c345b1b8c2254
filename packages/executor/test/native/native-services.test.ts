import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const NATIVE = `globalThis[Symbol.for('nexus.native')]`

describe.each([0, 1])('with threads: %i', (threads) => {
  const runtime = openRuntime({ threads, timeoutMs: 60_000 })
  const run = (body: string, limits: object = {}, top = '') =>
    runtime.executeHandler(
      `const native = ${NATIVE}; ${top}; ${handler(body)}`,
      { event: null },
      limits,
    )

  it('a native service answers text and bytes, at once and later', async () => {
    const { value, error, metrics } = await run(`
      const uuids = [native.now('random.uuid'), await native.later('random.uuid')]
      const bytes = [native.now('random.bytes', 5), await native.later('random.bytes', 7), native.now('random.bytes', 0)]
      return [uuids.map((uuid) => uuid.length), new Set(uuids).size, bytes.map((buffer) => [buffer instanceof ArrayBuffer, buffer.byteLength])]`)
    expect(error).toBeUndefined()
    expect(value).toEqual([
      [36, 36],
      2,
      [
        [true, 5],
        [true, 7],
        [true, 0],
      ],
    ])
    expect(metrics.hostCalls).toBe(5)
  })

  it('only answers that come later count as host calls', async () => {
    const { value } = await run(
      `for (let i = 0; i < 50; i++) native.now('random.uuid')
       await native.later('random.uuid')
       return native.later('random.uuid').catch((e) => e.code)`,
      { maxHostCalls: 1 },
    )
    expect(value).toBe('RESOURCE_LIMIT')
  })

  it('a module may use them while it loads, awaited or not, and keeps the answers', async () => {
    const top = `const early = await native.later('random.uuid'); const soon = native.later('random.uuid')`
    const body = `return [early, await soon, native.now('random.uuid')]`
    const [first, second] = [await run(body, {}, top), await run(body, {}, top)]
    const [one, two] = [first, second].map(({ value }) => value as string[])
    expect(one).toHaveLength(3)
    expect(two!.slice(0, 2)).toEqual(one!.slice(0, 2))
    expect(two![2]).not.toBe(one![2])
  })

  it('a refusal that a module does not catch fails its load', async () => {
    const { error } = await run('', {}, `await native.later('random.bytes', -1)`)
    expect(error).toMatchObject({
      code: 'EXECUTION_ERROR',
      name: 'TypeError',
      message: 'Expected how many random bytes to draw',
    })
  })

  it.each(['now', 'later'])(
    'work that does not fit into the time that is left is refused (%s)',
    async (when) => {
      const { error } = await run(
        `return (await native.${when}('random.bytes', 2 ** 40)).byteLength`,
      )
      expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', name: 'RangeError' })
      expect(error?.message).toMatch(
        /^Drawing 1099511627776 random bytes would take about \d+ ms, and \d+ ms of the call are left$/,
      )
    },
  )

  it.each(['now', 'later'])(
    'an answer that does not fit into the memory is refused (%s)',
    async (when) => {
      const { error } = await run(
        `return (await native.${when}('random.bytes', 34_000_000)).byteLength`,
        { memoryLimitBytes: 32 * 1024 * 1024 },
      )
      expect(error?.code).toBe('RESOURCE_LIMIT')
      expect(error?.message).toMatch(
        /^Drawing 34000000 random bytes would take 34000000 bytes, and \d+ bytes of the call's memory are left$/,
      )
    },
  )

  it('the guest does not pay for answers that it dropped', async () => {
    const { value } = await run(
      `let sum = 0; for (let i = 0; i < 100; i++) sum += native.now('random.bytes', 1_000_000).byteLength; return sum`,
      { memoryLimitBytes: 4 * 1024 * 1024 },
    )
    expect(value).toBe(100_000_000)
  })

  it.each([
    [`native.now()`, 'TypeError: The host has no such service'],
    [`native.now('toString')`, 'TypeError: The host has no such service'],
    [`native.now('x'.repeat(1e6))`, 'TypeError: The host has no such service'],
    [`native.now({ toString: () => 'random.uuid' })`, 'TypeError: The host has no such service'],
    [`native.now('random.bytes')`, 'TypeError: Expected how many random bytes to draw'],
    [`native.now('random.bytes', NaN)`, 'TypeError: Expected how many random bytes to draw'],
    [`native.now('random.bytes', '5')`, 'TypeError: Expected how many random bytes to draw'],
    [`native.now('random.bytes', 0.5)`, 'TypeError: Expected how many random bytes to draw'],
    [`native.now('random.bytes', ...Array(9))`, 'TypeError: There are too many arguments'],
    [
      `native.now('random.bytes', new Proxy(new Uint8Array(4), {}))`,
      'TypeError: Expected how many random bytes to draw',
    ],
    [
      `native.now('random.bytes', ...Array(8).fill(new Uint8Array(5_000_000)))`,
      'RangeError: The arguments hold more than the memory limit of the call',
    ],
    [
      `native.now('random.bytes', 'ü'.repeat(20_000_000))`,
      'RangeError: The arguments hold more than the memory limit of the call',
    ],
  ])('arguments of any kind are refused as wrong: %s', async (call, message) => {
    const { value } = await run(
      `try { return ${call} } catch (e) { return e.name + ': ' + e.message }`,
      { memoryLimitBytes: 32 * 1024 * 1024 },
    )
    expect(String(value).slice(0, 200)).toBe(message)
  })
})
