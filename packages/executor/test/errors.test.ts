import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HandlerCompiler } from '@nexus/compile-cache'
import { afterAll, describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 0 })

async function errorOf(code: string) {
  const { status, error } = await runtime.executeHandler(code, { event: 1 })
  expect(status).toBe('error')
  return error!
}

describe('an error of the handler', () => {
  it('comes with name, message, stack, place and the lines around', async () => {
    const error = await errorOf(`const limit = 3
function check(n) {
  if (n > limit) throw new RangeError('too many: ' + n)
}
export default () => check(5)
`)
    expect(error).toMatchObject({
      code: 'EXECUTION_ERROR',
      name: 'RangeError',
      message: 'too many: 5',
      location: { file: 'handler.js', line: 3 },
    })
    expect(error.stack).toMatch(
      /^RangeError: too many: 5\n {4}at check \(handler\.js:3:\d+\)\n {4}at /,
    )
    expect(error.stack).not.toContain('prelude')
    expect(error.sourceLines).toBe(
      [
        '  1 | const limit = 3',
        '  2 | function check(n) {',
        "> 3 |   if (n > limit) throw new RangeError('too many: ' + n)",
        '  4 | }',
        '  5 | export default () => check(5)',
      ].join('\n'),
    )
  })

  it('brings its cause', async () => {
    const error = await errorOf(
      handler('throw new Error("outer", { cause: new TypeError("inner") })'),
    )
    expect(error.cause).toEqual({ name: 'TypeError', message: 'inner' })
  })

  it.each([
    ['a string', 'throw "text"', 'text'],
    ['null', 'throw null', 'null'],
    ['a symbol', 'throw Symbol("s")', 'Symbol(s)'],
    [
      'an object with getters that throw',
      'throw { get message() { throw 1 }, toString() { throw 2 } }',
      'cannot be turned into text',
    ],
    [
      'a proxy that throws',
      'throw new Proxy({}, { get() { throw 1 } })',
      'cannot be turned into text',
    ],
  ])('may be %s', async (_name, body, message) => {
    expect((await errorOf(handler(body))).message).toContain(message)
  })

  it('is no longer than 16 KiB of text', async () => {
    const { message } = await errorOf(handler('throw new Error("x".repeat(1e6))'))
    expect(message.length).toBe(16_384)
  })

  it('that cannot be JSON as a result says what was wrong', async () => {
    expect((await errorOf(handler('return 1n'))).message).toMatch(
      /result .* cannot be turned into JSON/,
    )
    expect((await errorOf(handler('const a = {}; a.a = a; return a'))).message).toMatch(/JSON/)
  })
})

describe('in TypeScript that was bundled', () => {
  it('the place is that in the source', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nexus-executor-'))
    afterAll(() => rm(directory, { recursive: true }))
    await writeFile(
      join(directory, 'price.ts'),
      `interface Item { price: number }

export function price(item: Item): number {
  if (item.price < 0) throw new Error('negative price')
  return item.price
}
`,
    )
    await writeFile(
      join(directory, 'handler.ts'),
      `import { price } from './price.js'
export default (event: { price: number }) => price(event)
`,
    )
    const compiler = new HandlerCompiler({ cacheDir: false, rootDir: directory })
    const own = openRuntime({ threads: 0, compiler })
    const compiled = await own.precompileFile(join(directory, 'handler.ts'))
    const { error } = await own.executeCompiledHandler(compiled, { event: { price: -1 } })
    expect(error).toMatchObject({
      message: 'negative price',
      location: { file: 'price.ts', line: 4 },
    })
    expect(error?.sourceLines).toContain(
      "> 4 |   if (item.price < 0) throw new Error('negative price')",
    )
    expect(error?.stack).not.toContain(directory)
    await compiler.close()
  })
})

describe('a handler that cannot be loaded', () => {
  it('for its syntax is a result with the place', async () => {
    const error = await errorOf('export default () => {\n  const = 1\n}')
    expect(error).toMatchObject({
      code: 'COMPILATION_ERROR',
      retryable: false,
      location: { file: 'handler.js', line: 2 },
    })
    expect(error.sourceLines).toContain('const = 1')
  })

  it('because its source is too long is RESOURCE_LIMIT, not a mistake of the language', async () => {
    const compiler = new HandlerCompiler({ cacheDir: false, maxSourceLength: 100 })
    const own = openRuntime({ threads: 0, compiler })
    const { error } = await own.executeHandler(`export default () => "${'x'.repeat(100)}"`, {
      event: 1,
    })
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', retryable: false })
    await compiler.close()
  })

  it.each([
    ['no default export', 'export const a = 1', /got undefined/],
    ['a default export that is no function', 'export default { handler() {} }', /got object/],
    [
      'a module that never finishes',
      'await new Promise(() => {}); export default () => 1',
      /top level/,
    ],
  ])('with %s is INVALID_HANDLER', async (_name, code, message) => {
    const error = await errorOf(code)
    expect(error.code).toBe('INVALID_HANDLER')
    expect(error.message).toMatch(message)
    await expect(runtime.precompileHandler(code)).rejects.toMatchObject({ code: 'INVALID_HANDLER' })
  })

  it('because its module throws says where', async () => {
    await expect(
      runtime.precompileHandler('const a = 1\nthrow new Error("no config")'),
    ).rejects.toThrow(/handler\.js:2:\d+: Error: no config\n\n {2}1 \| const a = 1\n> 2 \| throw/)
  })

  it('because its module loops or allocates ends at its limits', async () => {
    const own = openRuntime({ threads: 0, timeoutMs: 50, memoryLimitBytes: 4 * 1024 * 1024 })
    const code = (source: string) =>
      own.executeHandler(source, { event: 1 }).then(({ error }) => error?.code)
    expect(await code('for (;;) {}')).toBe('TIMEOUT')
    expect(await code('const a = []; for (;;) a.push(new ArrayBuffer(1e6))')).toBe('MEMORY_LIMIT')
    expect(await code('export default () => 1')).toBeUndefined()
  })
})
