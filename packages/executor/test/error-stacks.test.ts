import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

/** Each gives what Node gives for the same program; places differ, so none is among them. */
const PROGRAMS = {
  'has the name and the message first': `new TypeError('boom').stack.split('\\n')[0]`,
  'has the name alone where there is no message': `new RangeError().stack.split('\\n')[0]`,
  'keeps a message of several lines': `new Error('a\\nb').stack.split('\\n').slice(0, 2)`,
  'has the name and the message of a caught engine error': `(() => { try { null.x } catch (error) { return error.stack.startsWith('TypeError: ') } })()`,
  'starts the stack of an AggregateError': `new AggregateError([new Error('a')], 'all').stack.split('\\n')[0]`,
  'uses the name of a subclass': `(() => { class NotFound extends Error { get name() { return 'NotFound' } }; return new NotFound('x').stack.split('\\n')[0] })()`,
  'is no field of its own that shows': `Object.keys(new Error('x'))`,
  'can be assigned, and still does not show': `(() => { const error = new Error('x'); error.stack = 'mine'; return [error.stack, Object.keys(error)] })()`,
  'can be assigned undefined': `(() => { const error = new Error('x'); error.stack = undefined; return String(error.stack) })()`,
  'can be defined': `(() => { const error = new Error('x'); Object.defineProperty(error, 'stack', { value: 7 }); return error.stack })()`,
  'can be deleted without harm': `(() => { const error = new Error('x'); return delete error.stack })()`,
  'is captured for any object': `(() => { const it = { name: 'Mine', message: 'said' }; Error.captureStackTrace(it); return [it.stack.split('\\n')[0], Object.keys(it)] })()`,
  'is captured for an object without a name': `(() => { const it = {}; Error.captureStackTrace(it); return it.stack.split('\\n')[0] })()`,
  'is captured below a function': `(() => { const it = {}; function hidden() { Error.captureStackTrace(it, hidden) } hidden(); return it.stack.includes('hidden') })()`,
  'refuses to capture for what cannot take it': `(() => { try { Error.captureStackTrace(Object.freeze({})); return 'captured' } catch (error) { return error.name } })()`,
  'gives undefined for what is no error': `String(Object.create(Error.prototype).stack)`,
}

const runtime = openRuntime({ threads: 0 })

// A process of its own: the test runner changes the stacks of its own.
const inNode: string[] = JSON.parse(
  execFileSync(process.execPath, [
    '-p',
    `JSON.stringify(${JSON.stringify(Object.values(PROGRAMS))}.map((program) => JSON.stringify(eval(program))))`,
  ]).toString(),
)

for (const [at, [title, program]] of Object.entries(PROGRAMS).entries()) {
  it(title, async () => {
    const { value, error } = await runtime.executeHandler(`export default () => ${program}`, {
      event: null,
    })
    expect(error).toBeUndefined()
    expect(value).toEqual(JSON.parse(inNode[at]!))
  })
}

it('names the frames of the handler and none of the prelude', async () => {
  const { value } = await runtime.executeHandler(
    `function inner() { return new Error('deep').stack }\nexport default () => inner()`,
    { event: null },
  )
  expect(value).toMatch(
    /^Error: deep\n {4}at inner \(handler\.js:1:\d+\)\n {4}at default \(handler\.js:2:\d+\)$/,
  )
})

it('has the message of an error of a host function, and where it was called', async () => {
  runtime.extend('shop', {
    fail: () => {
      throw new RangeError('sold out')
    },
  })
  const { value } = await runtime.executeHandler(
    `export default async (event, ctx) => {\n  try { await ctx.call('shop', 'fail') } catch (error) { return error.stack }\n}`,
    { event: null, capabilities: ['ext:shop'] },
  )
  expect(value).toMatch(/^RangeError: sold out\n {4}at .*handler\.js:2:/)
})

it('does not let a message hide where an error was thrown', async () => {
  const { error } = await runtime.executeHandler(
    `export default () => {\n  throw new Error('x'.repeat(20_000) + '\\n    at elsewhere (handler.js:77:1)')\n}`,
    { event: null },
  )
  expect(error?.location).toMatchObject({ line: 2 })
})

it('reads a stack that the handler chose', async () => {
  const { error } = await runtime.executeHandler(
    `export default () => {\n  const error = new Error('x'); error.stack = 'Error: x\\n    at chosen (handler.js:1:5)'; throw error\n}`,
    { event: null },
  )
  expect(error?.location).toMatchObject({ line: 1, column: 5 })
})

it('is text where the name of an error cannot be read', async () => {
  const { value } = await runtime.executeHandler(
    `export default () => { const error = new Error('x'); Object.defineProperty(error, 'name', { get() { throw 1 } }); return error.stack }`,
    { event: null },
  )
  expect(value).toMatch(/^Error: x\n/)
})
