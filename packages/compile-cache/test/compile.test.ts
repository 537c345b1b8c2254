import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { openCompiler, sourceOfLength } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { temporaryProject } from './temporary-project.js'

it('a JavaScript handler becomes bytecode that runs', async () => {
  const compiler = openCompiler()
  const compiled = await compiler.compile('export default (event) => event.a + 1')
  expect(await runHandler(compiled.bytecode, { a: 41 })).toBe(42)
  expect(compiled).toMatchObject({ cacheHit: false, cacheTier: 'none', filename: 'handler.js' })
  expect(compiled.cacheKey).toMatch(/^[0-9a-f]{64}$/)
  expect(compiled.compileTimeUs).toBeGreaterThan(0)
  expect(compiled.sourceMap).toBeUndefined()
})

it('an async handler runs', async () => {
  const compiler = openCompiler()
  const { bytecode } = await compiler.compile(
    'const x = await Promise.resolve(2); export default async (event) => event * (await x)',
  )
  expect(await runHandler(bytecode, 21)).toBe(42)
})

it('a TypeScript handler becomes bytecode with a source map', async () => {
  const compiler = openCompiler()
  const source = 'interface E { a: number }\nexport default (event: E): number => event.a * 2\n'
  const compiled = await compiler.compile(source, { filename: 'double.ts' })
  expect(await runHandler(compiled.bytecode, { a: 4 })).toBe(8)
  const map = JSON.parse(compiled.sourceMap!)
  expect(map).toMatchObject({ version: 3, sources: ['double.ts'], sourcesContent: [source] })
})

it('the language option wins over the extension', async () => {
  const compiler = openCompiler()
  const { bytecode } = await compiler.compile('export default (a: number) => a', {
    filename: 'handler.js',
    language: 'ts',
  })
  expect(await runHandler(bytecode, 3)).toBe(3)
})

it('stack traces name the file', async () => {
  const compiler = openCompiler()
  const { bytecode } = await compiler.compile(
    'export default () => { try { null.x } catch (e) { return e.stack } }',
    { filename: 'orders/total.js' },
  )
  expect(await runHandler(bytecode, null)).toContain('orders/total.js:1')
})

it('the same source is compiled once, also by callers at the same time', async () => {
  const compiler = openCompiler()
  const source = 'export default () => 1'
  const first = await Promise.all(Array.from({ length: 20 }, () => compiler.compile(source)))
  const later = await compiler.compile(source)
  expect(new Set(first.map(({ bytecode }) => bytecode)).size).toBe(1)
  expect(later).toMatchObject({ cacheHit: true, cacheTier: 'memory' })
  expect(compiler.getStats().compiles).toBe(1)
})

it('another file name, language or wrapper version is another artifact', async () => {
  const compiler = openCompiler()
  const source = 'export default () => 1'
  const keys = [
    await compiler.compile(source),
    await compiler.compile(source, { filename: 'other.js' }),
    await compiler.compile(source, { language: 'ts', filename: 'other.js' }),
    await openCompiler({ version: '2' }).compile(source),
  ].map(({ cacheKey }) => cacheKey)
  expect(new Set(keys).size).toBe(4)
})

it('compiling leaves no state behind: the same source gives the same bytes, whatever came before', async () => {
  const compiler = openCompiler({ maxMemoryBytes: 1 })
  const source = 'export const name = "x"; export default (event) => [event, name]'
  const first = await compiler.compile(source)
  for (let n = 0; n < 50; n++) {
    await compiler.compile(sourceOfLength(5000, n)).catch(() => undefined)
    await compiler.compile(`export default ${n} +`).catch(() => undefined)
  }
  const again = await compiler.compile(source)
  expect(again.cacheHit).toBe(false)
  expect(Buffer.compare(again.bytecode, first.bytecode)).toBe(0)
})

it('lone surrogates in a source are part of its identity', async () => {
  const compiler = openCompiler()
  const surrogate = await compiler.compile('export default () => "\ud800".charCodeAt(0)')
  const replacement = await compiler.compile('export default () => "\ufffd".charCodeAt(0)')
  expect(surrogate.cacheKey).not.toBe(replacement.cacheKey)
  expect(await runHandler(surrogate.bytecode, null)).toBe(0xd800)
  expect(await runHandler(replacement.bytecode, null)).toBe(0xfffd)
})

it('bytecode that a caller transferred away is compiled again', async () => {
  const compiler = openCompiler()
  const source = 'export default () => 1'
  const first = await compiler.compile(source)
  structuredClone(first.bytecode, { transfer: [first.bytecode.buffer as ArrayBuffer] })
  const second = await compiler.compile(source)
  expect(second.bytecode.byteLength).toBeGreaterThan(0)
  expect(await runHandler(second.bytecode, null)).toBe(1)
})

it('precompile compiles sources and keeps their order', async () => {
  const compiler = openCompiler()
  const compiled = await compiler.precompile([
    'export default () => 1',
    { source: 'export default (): number => 2', language: 'ts' },
  ])
  expect(await Promise.all(compiled.map(({ bytecode }) => runHandler(bytecode, null)))).toEqual([
    1, 2,
  ])
  expect((await compiler.compile('export default () => 1')).cacheTier).toBe('memory')
})

it('precompile tries every item before it fails', async () => {
  const compiler = openCompiler()
  const items = ['export default 1 +', 'export default () => 1']
  await expect(compiler.precompile(items)).rejects.toMatchObject({ code: 'COMPILATION_ERROR' })
  expect((await compiler.compile(items[1]!)).cacheTier).toBe('memory')
})

it('a closed compiler refuses to compile', async () => {
  const compiler = openCompiler()
  await compiler.close()
  await compiler.close()
  await expect(compiler.compile('export default 1')).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(compiler.compileFile('x.js')).rejects.toMatchObject({ code: 'CLOSED' })
})

it.each([
  [Buffer.from('export default 1'), {}, 'Expected the source as a string, got object'],
  ['export default 1', { language: 'tsx' }, 'Expected language "js" or "ts", got "tsx"'],
])('wrong arguments are refused', async (source, options, message) => {
  const compiling = openCompiler().compile(source as string, options as object)
  await expect(compiling).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message })
})

it('closing waits for what is being compiled here and written', async () => {
  const cacheDir = await temporaryProject()
  const compiler = openCompiler({ cacheDir })
  const compiling = compiler.compile('export default (): number => 1', { language: 'ts' })
  await compiler.close()
  expect((await readdir(cacheDir)).map((name) => name.split('.')[1]).sort()).toEqual([
    'map',
    'qjsc',
  ])
  expect(await runHandler((await compiling).bytecode, null)).toBe(1)
})
