import { beforeAll, expect, it } from 'vitest'
import { runChild } from './children/run-child.js'
import { openCompiler, sourceOfLength } from './open-compiler.js'
import { requireBuild } from './require-build.js'
import { runHandler } from './run-handler.js'

beforeAll(requireBuild)

it('a source of the threshold compiles on this thread, one character more on the worker', async () => {
  const compiler = openCompiler({ offloadLength: 1000 })
  const source = 'export default () => 1 //'.padEnd(1000, 'x')
  await compiler.compile(source)
  expect(compiler.getStats()).toMatchObject({ compiles: 1, workerCompiles: 0 })
  const { bytecode } = await compiler.compile(`${source}x`)
  expect(compiler.getStats()).toMatchObject({ compiles: 2, workerCompiles: 1 })
  expect(await runHandler(bytecode, null)).toBe(1)
})

it('a 1 MB bundle compiles on the worker thread', async () => {
  const compiler = openCompiler()
  const { bytecode } = await compiler.compile(sourceOfLength(1_000_000))
  expect(compiler.getStats()).toMatchObject({ compiles: 1, workerCompiles: 1 })
  expect(await runHandler(bytecode, { x: 2, y: 3 })).toMatchObject({ n: 1, list: [2, 3] })
})

it('both threads make the same bytecode', async () => {
  const source = sourceOfLength(10_000)
  const here = await openCompiler().compile(source)
  const there = await openCompiler({ offloadLength: 0 }).compile(source)
  expect(Buffer.compare(here.bytecode, there.bytecode)).toBe(0)
})

it('many long sources at once all compile, one after the other', async () => {
  const compiler = openCompiler({ offloadLength: 0 })
  const sources = Array.from({ length: 30 }, (_, n) => `export default () => ${n}`)
  const compiled = await Promise.all(sources.map((source) => compiler.compile(source)))
  const values = await Promise.all(compiled.map(({ bytecode }) => runHandler(bytecode, null)))
  expect(values).toEqual(sources.map((_, n) => n))
})

it('closing while compiling fails the compile', async () => {
  const compiler = openCompiler({ offloadLength: 0 })
  const compiling = Promise.allSettled([
    compiler.compile(sourceOfLength(500_000)),
    compiler.compile('export default () => 2'),
  ])
  await compiler.close()
  for (const result of await compiling) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } })
  }
})

it('an idle worker thread does not keep the process alive', async () => {
  const { code, stdout } = await runChild('compile-and-return.mjs', [])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'compiled on the worker: 1\n' })
})

// esbuild fills its stack of 1 GB twice, which takes seconds of both processors.
it('a source that crashes esbuild fails alone', { timeout: 120_000 }, async () => {
  const { code, stdout } = await runChild('crash-esbuild.mjs', [])
  expect(JSON.parse(stdout)).toEqual({ bomb: 'RESOURCE_LIMIT', neighbour: 'ok', next: 'ok' })
  expect(code).toBe(0)
})
