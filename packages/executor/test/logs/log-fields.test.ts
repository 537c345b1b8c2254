import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

async function fieldsOf(expression: string): Promise<unknown> {
  const code = `export default (event, ctx) => { ctx.log.error('failed', ${expression}) }`
  const { logs, error } = await runtime.executeHandler(code, { event: null })
  expect(error).toBeUndefined()
  expect(logs).toMatchObject([{ level: 'error', message: 'failed' }])
  return logs[0]!.fields
}

it('an error is logged with name, message, stack, cause, own fields and the errors in it', async () => {
  const fields = await fieldsOf(`{
    error: Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1', at: { line: 3 } }),
    all: new AggregateError([new RangeError('one'), 'two'], 'many'),
  }`)
  expect(fields).toMatchObject({
    error: {
      name: 'TypeError',
      message: 'outer',
      stack: expect.stringMatching(/^TypeError: outer\n {4}at .*handler\.js/),
      cause: { name: 'Error', message: 'inner' },
      code: 'E1',
      at: { line: 3 },
    },
    all: { name: 'AggregateError', message: 'many', errors: [{ name: 'RangeError' }, 'two'] },
  })
  expect(JSON.stringify(fields)).not.toContain('<null>')
})

it('an error that a host function threw is logged with its code and cause', async () => {
  const own = openRuntime({ threads: 0 }).extend('shop', {
    buy() {
      throw Object.assign(new Error('sold out', { cause: new Error('no stock') }), { code: 'SOLD' })
    },
  })
  const code = `export default async (event, ctx) => {
    try { await ctx.call('shop', 'buy') } catch (error) { ctx.log.error('failed', { error }) }
  }`
  const { logs } = await own.executeHandler(code, { event: null, capabilities: ['ext:shop'] })
  expect(logs[0]?.fields).toMatchObject({
    error: { message: 'sold out', code: 'SOLD', cause: { message: 'no stock' } },
  })
})

it.each([
  ['a BigInt', '10n', '10n'],
  ['a Map', 'new Map([[1, { a: 2 }]])', 'Map(1) { 1 => { a: 2 } }'],
  ['a Set', "new Set(['b'])", "Set(1) { 'b' }"],
  ['a Date', 'new Date(0)', '1970-01-01T00:00:00.000Z'],
  ['a Date that is none', 'new Date(NaN)', 'Invalid Date'],
  ['a function', '() => 1', '[Function: value]'],
  ['a symbol', "Symbol('s')", 'Symbol(s)'],
  ['a number that JSON has not', '-Infinity', '-Infinity'],
  ['a regular expression', '/a/g', '/a/g'],
  ['bytes', 'new Uint8Array(2)', 'Uint8Array(2) [ 0, 0 ]'],
  ['an object with toJSON', '{ toJSON: () => ({ shown: true }) }', { shown: true }],
  ['an object of a class', 'new (class Point { x = 1 })()', { x: 1 }],
  [
    'a getter that throws',
    "{ get no() { throw new Error('why') } }",
    { no: '[Getter: it throws: why]' },
  ],
  [
    'what contains itself',
    '(() => { const a = { n: 1 }; a.a = a; return a })()',
    { n: 1, a: '[Circular]' },
  ],
  ['a name that is special', `JSON.parse('{"__proto__": 1}')`, JSON.parse('{"__proto__": 1}')],
  ['what is shared', '(() => { const s = [1]; return [s, s, 1n] })()', [[1], [1], '1n']],
])('shows %s, and the fields beside it', async (_what, value, shown) => {
  expect(await fieldsOf(`{ before: 1, value: ${value}, after: [undefined, 2] }`)).toEqual({
    before: 1,
    value: shown,
    after: [null, 2],
  })
})

it('fields of any shape that JSON says all of are as JSON has them', async () => {
  for (const json of ['null', '5', '"text"', '[1,[2,{"a":[]}]]', '{"a":{"b":[true,null]}}']) {
    expect(await fieldsOf(json)).toEqual(JSON.parse(json))
  }
})

it('fields nested too deep are refused with their path, plain or not', async () => {
  for (const inner of ['1', '1n', 'new Map()']) {
    const code = `export default (event, ctx) => {
      let deep = ${inner}; for (let i = 0; i < 300; i++) deep = [deep]
      ctx.log.info('x', { deep })
    }`
    const { error } = await runtime.executeHandler(code, { event: null })
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
    expect(error?.message).toContain('fields.deep[0][0]')
  }
})
