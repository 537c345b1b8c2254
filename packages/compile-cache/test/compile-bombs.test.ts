import { CompileError } from '@nexus/compile-cache'
import { describe, expect, it } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'

const fill = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length))
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`)

const bombs: Record<string, (length: number) => string> = {
  'open parentheses': (length) => fill('(', length),
  'open brackets': (length) => fill('[', length),
  'open blocks': (length) => fill('{', length),
  'nested object literals': (length) => `x = ${fill('{a:', length)}`,
  'closed parentheses': (length) => `${fill('(', length / 2)}1${fill(')', length / 2)}`,
  'parentheses that are scanned over and over': (length) =>
    fill(`${'('.repeat(250)}1${')'.repeat(250)};`, length),
  'arrow functions': (length) => fill('a => ', length),
  'default parameters': (length) => fill('(a = ', length),
  'unary operators': (length) => fill('! ', length),
  conditionals: (length) => fill('a ? ', length),
  'if statements': (length) => fill('if (1) ', length),
  templates: (length) => fill('`${', length),
  functions: (length) => fill('function f() {', length),
  'class static blocks': (length) => fill('class A { static {', length),
  labels: (length) => `${names('l', length / 8).join(':')}:;`,
  'try blocks': (length) => fill('try {', length),
  variables: (length) =>
    `function f() { let ${names('a', length / 12).join()};${names('a', length / 12).join(';')} }`,
  'private fields': (length) => `class A { ${names('#a', length / 8).join(';')} }`,
  'case-blind Unicode regular expressions': (length) => fill('x = /\\p{L}/iu;', length),
  'Unicode classes': (length) => `x = /${fill('[\\p{L}\\p{N}]', length)}/u`,
  'regular expression groups': (length) => `x = /${fill('(', length)}/`,
  'a long number': (length) => `x = ${fill('9', length)}n`,
  imports: (length) =>
    names('x', length / 20)
      .map((name) => `import "${name}";`)
      .join(''),
}

describe.each([
  ['on the calling thread', 20_000],
  ['on the worker thread', 400_000],
])('a compile bomb %s ends as a CompileError or compiles', (_where, length) => {
  it.each(Object.keys(bombs))('%s', async (name) => {
    const compiler = openCompiler({ compileTimeoutMs: 500 })
    const error = await compiler.compile(bombs[name]!(length)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (error !== undefined) expect(error).toBeInstanceOf(CompileError)
    const { bytecode } = await compiler.compile('export default () => "unharmed"')
    expect(await runHandler(bytecode, null)).toBe('unharmed')
  })
})

it('nesting deeper than the stack is told as such', async () => {
  await expect(openCompiler().compile(fill('(', 50_000))).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: expect.stringContaining('nested too deeply'),
  })
})

it('thousands of errors in one line, which esbuild repeats with each, do not reach this process', async () => {
  const compiler = openCompiler({ compileTimeoutMs: 60_000 })
  const source = fill('let z;', 30_000)
  await expect(compiler.compile(source, { language: 'ts' })).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: expect.stringContaining('thousands of errors in one line'),
  })
  const { bytecode } = await compiler.compile('export default (): number => 1', { language: 'ts' })
  expect(await runHandler(bytecode, null)).toBe(1)
}, 120_000)

it('a compile on the worker thread that takes too long is ended, and the next one works', async () => {
  const compiler = openCompiler({ compileTimeoutMs: 150 })
  const slow = compiler.compile(fill('x = /\\p{L}/iu;', 1_000_000))
  const next = compiler.compile('export default () => 1')
  await expect(slow).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: expect.stringContaining('took longer than 150 ms'),
  })
  expect(await runHandler((await next).bytecode, null)).toBe(1)
})

it('a compile that needs too much memory fails, and the next one works', async () => {
  const compiler = openCompiler({ compileMemoryLimitBytes: 16 * 1024 * 1024, offloadLength: 0 })
  await expect(compiler.compile(fill('x = /\\p{L}/iu;', 60_000))).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: expect.stringContaining('out of memory'),
  })
  const { bytecode } = await compiler.compile('export default () => 1')
  expect(await runHandler(bytecode, null)).toBe(1)
})

it('a source of exactly the longest length compiles, one character more does not', async () => {
  const compiler = openCompiler({ maxSourceLength: 1000 })
  const longest = 'export default () => 1 //'.padEnd(1000, 'x')
  await compiler.compile(longest)
  await expect(compiler.compile(`${longest}x`)).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: expect.stringContaining('expected at most 1000 characters, got 1001'),
  })
  await expect(compiler.compile(`${longest}x`, { language: 'ts' })).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
  })
})
