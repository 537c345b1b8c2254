import { expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 0 })

it.each([
  ['a generator function', 'export default function* () { yield 1 }'],
  ['a generator function', 'export default async function* () { yield 1 }'],
  ['a class', 'export default class Handler {}'],
  ['a class', 'class Base {}; export default class extends Base {}'],
  ['object', 'export default { handle() {} }'],
  ['undefined', 'export const handler = () => 1'],
])('%s is no handler: %s', async (kind, code) => {
  await expect(runtime.precompileHandler(code)).rejects.toMatchObject({
    code: 'INVALID_HANDLER',
    message: expect.stringContaining(`got ${kind}`),
  })
})

it.each([
  'export default () => 1',
  'export default async function () { return 1 }',
  'export default (function () { return 1 }).bind(null)',
  'export default new Proxy(() => 1, {})',
  'export default { __esModule: true, default: () => 1 }',
])('is a handler: %s', async (code) => {
  expect(await runtime.executeHandler(code, { event: null })).toMatchObject({ value: 1 })
})

it('a timer or a fetch at the top level of the module says why not', async () => {
  const code = 'setTimeout(() => {}, 1); export default () => 1'
  await expect(runtime.precompileHandler(code)).rejects.toThrow(
    /timer at the top level of the module: timers and host calls are for the handler/,
  )
})

it('a timer is cleared by its id as a number and as text', async () => {
  const code = `export default async () => {
    let fired = 0
    clearTimeout(String(setTimeout(() => fired++, 1)))
    clearInterval(setInterval(() => fired++, 1))
    clearTimeout(undefined)
    clearTimeout({})
    await new Promise((done) => setTimeout(done, 20))
    return fired
  }`
  expect(await runtime.executeHandler(code, { event: null })).toMatchObject({ value: 0 })
})

it('what no call reads is refused, and the error says where limits go', async () => {
  const context = { event: null, timeoutMs: 5 }
  for (const call of [
    () => runtime.executeHandler('export default () => 1', context),
    async () =>
      runtime.executeCompiledHandler(
        await runtime.precompileHandler('export default () => 1'),
        context,
      ),
  ]) {
    await expect(call()).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(/"timeoutMs".*third argument/),
    })
  }
})
