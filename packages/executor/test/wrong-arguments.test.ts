import { describe, expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 1 })
const code = 'export default () => 1'

describe('a fact of a call that could not be sent to a thread is refused by name', () => {
  it.each([
    ['eventJson', () => 1],
    ['eventJson', Symbol('x')],
    ['eventJson', { json: true }],
    ['functionName', 7],
    ['capabilities', 'events:emit:a'],
    ['capabilities', [() => 1]],
    ['capabilities', ['net:a', null]],
    ['env', { A: 1 }],
    ['env', 'A=1'],
    ['secrets', { A: Symbol('x') }],
    ['attempt', '1'],
    ['traceId', {}],
    ['globals', 'a'],
    ['invoke', {}],
    ['aroundHostCall', 'trace'],
  ])('%s', async (key, value) => {
    const context = { event: null, [key]: value } as never
    const refusal = {
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(`context.${key}: expected`),
    }
    await expect(runtime.executeHandler(code, context)).rejects.toMatchObject(refusal)
    const compiled = await runtime.precompileHandler(code)
    await expect(runtime.executeCompiledHandler(compiled, context)).rejects.toMatchObject(refusal)
  })

  it.each([[null], [undefined], [7], ['event']])('a context that is %j', async (context) => {
    await expect(runtime.executeHandler(code, context as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })

  it.each([[null], [undefined], [{}], ['code'], [new ArrayBuffer(8)]])(
    'a compiled handler that is %j',
    async (handler) => {
      await expect(
        runtime.executeCompiledHandler(handler as never, { event: null }),
      ).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    },
  )

  it('and the thread goes on', async () => {
    expect(await runtime.executeHandler(code, { event: null })).toMatchObject({ value: 1 })
  })
})

describe('an option that nothing reads is refused by name', () => {
  const refusal = (name: string) => ({
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining(name),
  })
  const run = (input: object) => ({ input, run: () => 1 }) as never

  it.each<[string, string, () => unknown]>([
    [
      'of a call',
      'timeoutMs',
      () => runtime.executeHandler(code, { event: 1, timeoutMs: 5 } as never),
    ],
    [
      'of its limits',
      'timeout',
      () => runtime.executeHandler(code, { event: 1 }, { timeout: 5 } as never),
    ],
    ['of a script', 'limit', () => runtime.evaluate('1', { limit: 5 } as never)],
    ['of a context', 'isolation', () => runtime.createContext({ isolation: 'shared' } as never)],
    ['of a source', 'name', () => runtime.precompileHandler(code, { name: 'x' } as never)],
    ['of a file', 'rootDir', () => runtime.precompileFile('none.js', { rootDir: '/' } as never)],
    [
      'of a command',
      'arguments',
      () => runtime.precompileWasi(new Uint8Array(), { arguments: [] } as never),
    ],
    ['of the end', 'drainTimeout', () => runtime.shutdown({ drainTimeout: 5 } as never)],
    ['of the end, by its other name', 'timeoutMs', () => runtime.close({ timeoutMs: 5 } as never)],
    ['of limits that change', 'maxThreads', () => runtime.resize({ maxThreads: 5 } as never)],
    ['of a runtime', 'thread', () => openRuntime({ thread: 5 } as never)],
    [
      'of a host function',
      'timeoutMs',
      () =>
        runtime.extend('one', {
          f: { ...(run({ safeParse: () => ({}) }) as object), timeoutMs: 5 } as never,
        }),
    ],
    [
      'of a function among the globals',
      'timeoutMs',
      () =>
        runtime.executeHandler(code, {
          event: 1,
          globals: { f: { ...(run({ safeParse: () => ({}) }) as object), timeoutMs: 5 } },
        }),
    ],
  ])('%s: %s', async (_what, name, use) => {
    await expect(Promise.resolve().then(use)).rejects.toMatchObject(refusal(name))
  })

  it.each([[Number.NaN], [-1], ['5']])('a time to drain of %s is refused', async (value) => {
    const options = { drainTimeoutMs: value as number }
    await expect(runtime.shutdown(options)).rejects.toMatchObject(refusal('drainTimeoutMs'))
  })

  it('and the runtime goes on', async () => {
    expect(await runtime.executeHandler(code, { event: null })).toMatchObject({ value: 1 })
  })
})
