import { symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { temporaryProject } from './temporary-project.js'

const packageDirectory = dirname(dirname(fileURLToPath(import.meta.url)))

/** A project that finds the packages installed for this one; its handlers lie in a folder, their import root. */
async function projectWithPackages(files: Record<string, string>): Promise<string> {
  const rootDir = await temporaryProject(files)
  await symlink(join(packageDirectory, 'node_modules'), join(rootDir, 'node_modules'))
  return rootDir
}

it('a file with TypeScript, JSON and relative imports is bundled', async () => {
  const rootDir = await temporaryProject({
    'functions/total.ts': `
      import { sum } from '../shared/sum.js'
      import rates from '../shared/rates.json'
      export default (event: { items: number[] }): number => sum(event.items) * rates.vat`,
    'shared/sum.ts': 'export const sum = (n: number[]) => n.reduce((a, b) => a + b, 0)',
    'shared/rates.json': '{ "vat": 2 }',
  })
  const compiled = await openCompiler({ rootDir }).compileFile('functions/total.ts', { root: '.' })
  expect(await runHandler(compiled.bytecode, { items: [1, 2, 3] })).toBe(12)
  expect(compiled.filename).toBe('functions/total.ts')
  expect(compiled.inputs).toEqual(
    ['functions/total.ts', 'shared/rates.json', 'shared/sum.ts'].map((file) => join(rootDir, file)),
  )
  const map = JSON.parse(compiled.sourceMap!)
  expect(map.sources).toContain('functions/total.ts')
  expect(map.sourcesContent[map.sources.indexOf('shared/sum.ts')]).toContain('reduce')
  expect(compiled.sourceMap).not.toContain(rootDir)
})

it('a dynamic import of a known file becomes part of the bundle', async () => {
  const rootDir = await temporaryProject({
    'main.js': 'export default async () => (await import("./late.js")).value',
    'late.js': 'export const value = 7',
  })
  const { bytecode } = await openCompiler({ rootDir }).compileFile('main.js')
  expect(await runHandler(bytecode, null)).toBe(7)
})

it('zod runs in the sandbox', async () => {
  const rootDir = await projectWithPackages({
    'functions/main.ts': `
      import { z } from 'zod'
      const Order = z.object({ id: z.string(), qty: z.number().int().positive() })
      export default (event: unknown) => Order.safeParse(event).success`,
  })
  const { bytecode } = await openCompiler({ rootDir }).compileFile('functions/main.ts')
  expect(await runHandler(bytecode, { id: 'a', qty: 1 })).toBe(true)
  expect(await runHandler(bytecode, { id: 'a', qty: -1 })).toBe(false)
})

it('lodash-es runs in the sandbox', async () => {
  const rootDir = await projectWithPackages({
    'functions/main.ts': `
      import { groupBy } from 'lodash-es'
      export default (event: { n: number[] }) => groupBy(event.n, (n) => (n % 2 ? 'odd' : 'even'))`,
  })
  const compiled = await openCompiler({ rootDir }).compileFile('functions/main.ts')
  expect(await runHandler(compiled.bytecode, { n: [1, 2, 3] })).toEqual({ odd: [1, 3], even: [2] })
  expect(compiled.inputs!.length).toBeGreaterThan(100)
})

it('a CommonJS package with a browser map that drops a Node built-in runs', async () => {
  const rootDir = await temporaryProject({
    'main.js': 'import lib from "lib"; export default () => lib.answer',
    'node_modules/lib/package.json': '{ "main": "./index.js", "browser": { "fs": false } }',
    'node_modules/lib/index.js': 'const fs = require("fs"); exports.answer = fs.read ? 1 : 42',
  })
  const { bytecode } = await openCompiler({ rootDir }).compileFile('main.js')
  expect(await runHandler(bytecode, null)).toBe(42)
})

it('a package that needs a Node built-in fails with its name and how it was reached', async () => {
  const rootDir = await temporaryProject({
    'functions/main.ts': 'import { query } from "./db"\nexport default query',
    'functions/db.ts': 'export { query } from "@scope/driver"',
    'node_modules/@scope/driver/package.json': '{ "main": "lib/index.js" }',
    'node_modules/@scope/driver/lib/index.js':
      'const net = require("node:net")\nexports.query = () => net',
  })
  const compiling = openCompiler({ rootDir }).compileFile('functions/main.ts')
  await expect(compiling).rejects.toMatchObject({
    code: 'COMPILATION_ERROR',
    location: { file: 'node_modules/@scope/driver/lib/index.js', line: 1, column: 21 },
  })
  await expect(compiling).rejects.toThrow(
    'Cannot bundle the package "@scope/driver": it needs the Node.js built-in "node:net", which the sandbox does not have.\n' +
      'Import chain: functions/main.ts → functions/db.ts → node_modules/@scope/driver/lib/index.js → node:net',
  )
})

it('a handler that itself imports a Node built-in is told so', async () => {
  const rootDir = await temporaryProject({ 'main.js': 'import fs from "fs"\nexport default fs' })
  await expect(openCompiler({ rootDir }).compileFile('main.js')).rejects.toThrow(
    'main.js:1:16: Cannot import "fs": it needs the Node.js built-in "fs", which the sandbox does not have.',
  )
})

it('an import from the web is told at its place', async () => {
  const rootDir = await temporaryProject({
    'main.ts': 'const a = 1\nimport x from "https://example.com/x.js"\nexport default () => x + a',
  })
  await expect(openCompiler({ rootDir }).compileFile('main.ts')).rejects.toThrow(
    'main.ts:2:15: Could not resolve "https://example.com/x.js"',
  )
})

it('a file that is not there is an error that names it', async () => {
  const rootDir = await temporaryProject()
  const compiling = openCompiler({ rootDir }).compileFile('functions/missing.ts')
  await expect(compiling).rejects.toMatchObject({ code: 'COMPILATION_ERROR' })
  await expect(compiling).rejects.toThrow('functions/missing.ts: ')
})

it('calls for one file in one turn share the work', async () => {
  const rootDir = await temporaryProject({ 'main.ts': 'export default () => 1' })
  const compiler = openCompiler({ rootDir })
  await Promise.all(Array.from({ length: 20 }, () => compiler.compileFile('main.ts')))
  expect(compiler.getStats()).toMatchObject({ bundles: 1, compiles: 1 })
})

it('two projects with the same files have the same artifacts', async () => {
  const files = {
    'main.ts': 'import { a } from "./a"; export default a',
    'a.ts': 'export let a = 1',
  }
  const keys = []
  for (const rootDir of [await temporaryProject(files), await temporaryProject(files)]) {
    keys.push((await openCompiler({ rootDir }).compileFile('main.ts')).cacheKey)
  }
  expect(keys[0]).toBe(keys[1])
})

it('precompile takes files too', async () => {
  const rootDir = await temporaryProject({ 'main.ts': 'export default (): number => 5' })
  const [compiled] = await openCompiler({ rootDir }).precompile([{ path: 'main.ts' }])
  expect(await runHandler(compiled!.bytecode, null)).toBe(5)
})

it('a project reached through a link has the same artifacts', async () => {
  const rootDir = await temporaryProject({
    'releases/5/main.ts': 'import { a } from "./a"; export default () => a',
    'releases/5/a.ts': 'export const a = 1',
  })
  const link = join(rootDir, 'current')
  await symlink('releases/5', link)
  const direct = await openCompiler({ rootDir: join(rootDir, 'releases/5') }).compileFile('main.ts')
  const linked = await openCompiler({ rootDir: link }).compileFile(join(link, 'main.ts'))
  expect(linked.filename).toBe('main.ts')
  expect(linked.cacheKey).toBe(direct.cacheKey)
})
