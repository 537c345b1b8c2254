import { describe, expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

const LOST = [
  [
    'in a handler that is not async',
    `export default () => { Promise.reject(new Error('lost')); return 1 }`,
  ],
  [
    'in an async handler',
    `export default async () => { Promise.reject(new Error('lost')); return 1 }`,
  ],
  [
    'in an async function without await',
    `const f = async () => { throw new Error('lost') }; export default () => { f() }`,
  ],
  [
    'after some jobs',
    `export default async () => { (async () => { await null; await null; throw new Error('lost') })(); await null }`,
  ],
  [
    'while the handler waits',
    `export default async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 60_000)) }`,
  ],
  [
    'in the callback of a timer',
    `export default async () => { setTimeout(async () => { throw new Error('lost') }, 1); await new Promise((r) => setTimeout(r, 60_000)) }`,
  ],
  ['while the module loads', `Promise.reject(new Error('lost')); export default () => 1`],
  [
    'of a promise made by then',
    `export default async () => { Promise.reject(new Error('lost')).then(() => 1) }`,
  ],
] as const

const HANDLED = [
  ['at once', `export default () => { Promise.reject(new Error('x')).catch(() => {}); return 1 }`],
  [
    'in a later job',
    `export default () => { const p = Promise.reject(new Error('x')); queueMicrotask(() => p.catch(() => {})); return 1 }`,
  ],
  [
    'by an await in another job',
    `export default async () => { const p = Promise.reject(new Error('x')); await null; try { await p } catch {} return 1 }`,
  ],
  [
    'by Promise.allSettled',
    `const f = async () => { throw new Error('x') }; export default async () => { await Promise.allSettled([f(), f()]); return 1 }`,
  ],
  [
    'by Promise.race, though it came too late',
    `export default async () => { await Promise.race([1, Promise.reject(new Error('x'))]); return 1 }`,
  ],
  [
    'while the module loads',
    `const p = Promise.reject(new Error('x')); p.catch(() => {}); export default () => 1`,
  ],
] as const

describe.each([
  ['inline', 0],
  ['on a thread', 1],
])('%s', (_where, threads) => {
  const runtime = openRuntime({ threads })

  it.each(LOST)('a rejection that nothing handles fails the call: %s', async (_when, code) => {
    const { status, error, events } = await runtime.executeHandler(code, { event: null })
    expect({ status, events }).toEqual({ status: 'error', events: [] })
    expect(error).toMatchObject({
      code: 'EXECUTION_ERROR',
      message: 'Unhandled rejection: lost',
      stack: expect.stringContaining('handler.js'),
    })
  })

  it.each(HANDLED)('a rejection that is handled fails nothing: %s', async (_when, code) => {
    for (let call = 0; call < 3; call++) {
      const { status, value } = await runtime.executeHandler(code, { event: null })
      expect({ status, value }).toEqual({ status: 'success', value: 1 })
    }
  })
})

const runtime = openRuntime({ threads: 0 })

it('an emit without await that is denied fails the call with its token', async () => {
  const code = `export default (event, ctx) => { ctx.emit('a.b', {}); return 1 }`
  const { error } = await runtime.executeHandler(code, { event: null })
  expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
  expect(error?.message).toContain('events:emit:a.b')
})

it("a handler's own failure is reported before a rejection beside it", async () => {
  const code = `export default async () => { Promise.reject(new Error('beside')); throw new Error('own') }`
  const { error } = await runtime.executeHandler(code, { event: null })
  expect(error).toMatchObject({ message: 'own' })
})

it('a call after an unhandled rejection knows nothing of it, with shared state too', async () => {
  const code = `export default (event) => { if (event) Promise.reject(new Error('lost')); return 1 }`
  for (const isolation of ['pristine', 'shared'] as const) {
    for (const event of [1, 0, 1, 0]) {
      const { status } = await runtime.executeHandler(code, { event }, { isolation })
      expect(status).toBe(event ? 'error' : 'success')
    }
  }
})

it('what queueMicrotask runs may throw: the error is reported with its stack', async () => {
  for (const body of [
    'queueMicrotask(() => { f() })',
    'await null; queueMicrotask(() => { f() }); await null',
  ]) {
    const code = `function f() { throw new TypeError('micro') }; export default async () => { ${body} }`
    const { error } = await runtime.executeHandler(code, { event: null })
    expect(error).toMatchObject({
      code: 'EXECUTION_ERROR',
      name: 'TypeError',
      message: 'micro',
      stack: expect.stringMatching(/at f \(handler\.js/),
    })
  }
  const atLoad = `queueMicrotask(() => { throw new Error('micro') }); export default () => 1`
  expect((await runtime.executeHandler(atLoad, { event: null })).error).toMatchObject({
    code: 'EXECUTION_ERROR',
    message: 'micro',
  })
})

it('the reasons of Promise.any and the fields of a thrown object are in the message', async () => {
  const messageOf = async (body: string) =>
    (await runtime.executeHandler(`export default async () => { ${body} }`, { event: null })).error
      ?.message
  const any = `await Promise.any([Promise.reject(new Error('a')), Promise.reject('b')])`
  expect(await messageOf(any)).toBe('All promises were rejected (a; b)')
  expect(await messageOf(`throw new AggregateError([new Error('a')], 'many')`)).toBe('many (a)')
  expect(await messageOf(`throw { code: 401, why: ['x'] }`)).toBe(
    '{"code":401,"why":["x"]} was thrown',
  )
  expect(await messageOf(`throw { message: 'own' }`)).toBe('own')
})
