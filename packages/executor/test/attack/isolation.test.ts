import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, maxInstances: 1 })
const run = async (code: string, options: object = {}, event: unknown = null) =>
  (await runtime.executeHandler(code, { event }, options)).value

describe('pristine calls', () => {
  it('see nothing that an earlier call changed', async () => {
    const code = `let n = 0; export default () => { globalThis.m = (globalThis.m ?? 0) + 1; Object.prototype.x = 1; return [++n, m] }`
    expect(await run(code)).toEqual([1, 1])
    expect(await run(code)).toEqual([1, 1])
    expect(await run(handler('return [typeof m, ({}).x === undefined]'))).toEqual([
      'undefined',
      true,
    ])
  })

  it('see no job, timer or late answer of an earlier call', async () => {
    const answers: (() => void)[] = []
    const extended = openRuntime({ threads: 0, maxInstances: 1 }).extend('slow', {
      wait: () => new Promise<void>((resolve) => answers.push(resolve)),
    })
    const context = { event: null, capabilities: ['ext:slow'] }
    const leaving = `
      let ran = []
      export default async (event, ctx) => {
        const before = [...ran]
        setTimeout(() => ran.push('timer'), 1)
        ctx.call('slow', 'wait').then(() => ran.push('answer'))
        Promise.resolve().then(() => { ran.push('job') })
        return before
      }`
    await extended.executeHandler(leaving, context)
    await new Promise((resolve) => setTimeout(resolve, 10))
    for (const answer of answers) answer()
    expect((await extended.executeHandler(leaving, context)).value).toEqual([])
    for (const answer of answers) answer()
  })

  it('draw other random numbers each', async () => {
    const code = handler('return Math.random()')
    const drawn = new Set(await Promise.all(Array.from({ length: 50 }, () => run(code))))
    expect(drawn.size).toBe(50)
  })

  it('get a larger heap after one outgrew it, instead of leaking or failing', async () => {
    const own = openRuntime({ threads: 0, maxInstances: 1 })
    const code = handler('return new Uint8Array(5e6).length')
    for (let i = 0; i < 20; i++) {
      expect((await own.executeHandler(code, { event: 1 })).value).toBe(5e6)
    }
    const { pool } = own.getStats().engines[0]!
    expect(pool.discards.growth).toBe(1)
    expect(pool.memoryBytes).toBeLessThan(12e6)
  })
})

describe('shared calls', () => {
  it('keep the state of the module between calls of one handler', async () => {
    const code = 'let n = 0; export default () => ++n'
    expect(await run(code, { isolation: 'shared' })).toBe(1)
    expect(await run(code, { isolation: 'shared' })).toBe(2)
    expect(await run(code)).toBe(1)
  })

  it('start over after a call was cut short', async () => {
    const code =
      'let n = 0; export default (event) => { n++; while (event === "loop") {} return n }'
    const shared = { isolation: 'shared', timeoutMs: 30 } as const
    expect(await run(code, shared)).toBe(1)
    await run(code, shared, 'loop')
    expect(await run(code, shared)).toBe(1)
  })

  it('leak nothing of what passes between host and guest', async () => {
    const own = openRuntime({ threads: 0, maxInstances: 1, isolation: 'shared' })
    const compiled = await own.precompileHandler(handler('return event'))
    const used = async () =>
      (await own.executeCompiledHandler(compiled, { event: { a: 'x'.repeat(100) } })).metrics
        .memoryUsedBytes
    for (let i = 0; i < 100; i++) await used()
    const before = await used()
    for (let i = 0; i < 1000; i++) await used()
    expect((await used()) - before).toBeLessThan(1000)
  })
})
