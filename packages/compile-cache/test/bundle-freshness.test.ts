import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { temporaryProject, writeProject } from './temporary-project.js'

let rootDir: string
let cacheDir: string

/** Compile `main.ts` in a new compiler, as after a restart; what it returns, and whether esbuild ran. */
async function restart(): Promise<{ value: unknown; bundled: boolean }> {
  const compiler = openCompiler({ rootDir, cacheDir })
  const { bytecode } = await compiler.compileFile('src/main.ts', { root: '.' })
  const value = await runHandler(bytecode, null)
  const bundled = compiler.getStats().bundles > 0
  await compiler.close()
  return { value, bundled }
}

beforeEach(async () => {
  cacheDir = await temporaryProject()
  rootDir = await temporaryProject({
    'src/main.ts': `
      import { a } from './a.js'
      import { deep } from '../lib'
      import pkg from 'pkg'
      export default () => [a, deep, pkg]`,
    'src/a.ts': 'export const a: string = "a1"',
    'lib/index.ts': 'export { deep } from "./deep"',
    'lib/deep.ts': 'export const deep = "deep1"',
    'node_modules/.store/pkg@1/node_modules/pkg/package.json':
      '{ "name": "pkg", "main": "./lib/main" }',
    'node_modules/.store/pkg@1/node_modules/pkg/lib/main.js': 'module.exports = "pkg1"',
    'node_modules/.store/pkg@2/node_modules/pkg/package.json':
      '{ "name": "pkg", "main": "./lib/main" }',
    'node_modules/.store/pkg@2/node_modules/pkg/lib/main.js': 'module.exports = "pkg2"',
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "compilerOptions": {} }',
  })
  await symlink('.store/pkg@1/node_modules/pkg', join(rootDir, 'node_modules/pkg'))
  expect(await restart()).toEqual({ value: ['a1', 'deep1', 'pkg1'], bundled: true })
})

it('an unchanged set of files needs no esbuild after a restart', async () => {
  expect(await restart()).toEqual({ value: ['a1', 'deep1', 'pkg1'], bundled: false })
})

it('the inputs are known without esbuild too', async () => {
  const compiler = openCompiler({ rootDir, cacheDir })
  const { inputs, cacheTier } = await compiler.compileFile('src/main.ts', { root: '.' })
  expect(cacheTier).toBe('disk')
  expect(inputs).toEqual(
    [
      'lib/deep.ts',
      'lib/index.ts',
      'node_modules/.store/pkg@1/node_modules/pkg/lib/main.js',
      'src/a.ts',
      'src/main.ts',
    ].map((file) => join(rootDir, file)),
  )
})

it('files that have nothing to do with the bundle do not matter', async () => {
  await writeProject(rootDir, { 'src/other.ts': '', 'lib/other.ts': '', 'README.md': '' })
  expect((await restart()).bundled).toBe(false)
})

describe('a bundle is made again when', () => {
  const changes: [what: string, change: () => Promise<void>, value: string[]][] = [
    ['the entry changes', () => edit('src/main.ts', 'export default () => ["new"]'), ['new']],
    ['an import changes', () => edit('src/a.ts', 'export const a = "a2"'), ['a2', 'deep1', 'pkg1']],
    [
      'an import of an import changes',
      () => edit('lib/deep.ts', 'export const deep = "deep2"'),
      ['a1', 'deep2', 'pkg1'],
    ],
    [
      'an import changes to text of the same length',
      () => edit('src/a.ts', 'export const a: string = "a3"'),
      ['a3', 'deep1', 'pkg1'],
    ],
    [
      'a file appears that wins over a directory',
      () => edit('lib.ts', 'export const deep = "file"'),
      ['a1', 'file', 'pkg1'],
    ],
    [
      'a file appears that wins over another extension',
      () => edit('src/a.js', 'export const a = "js"'),
      ['js', 'deep1', 'pkg1'],
    ],
    [
      'a directory gets a package.json that points elsewhere',
      () =>
        writeProject(rootDir, {
          'lib/package.json': '{ "main": "./other.js" }',
          'lib/other.js': 'export const deep = "main"',
        }),
      ['a1', 'main', 'pkg1'],
    ],
    [
      'a package is linked to another version',
      async () => {
        await rm(join(rootDir, 'node_modules/pkg'))
        await symlink('.store/pkg@2/node_modules/pkg', join(rootDir, 'node_modules/pkg'))
      },
      ['a1', 'deep1', 'pkg2'],
    ],
    [
      'a package is installed nearer by',
      () =>
        writeProject(rootDir, {
          'src/node_modules/pkg/package.json': '{}',
          'src/node_modules/pkg/index.js': 'module.exports = "near"',
        }),
      ['a1', 'deep1', 'near'],
    ],
    [
      'a package gets another main',
      () =>
        writeProject(rootDir, {
          'node_modules/.store/pkg@1/node_modules/pkg/package.json':
            '{ "name": "pkg", "main": "./lib/new.js" }',
          'node_modules/.store/pkg@1/node_modules/pkg/lib/new.js': 'module.exports = "new main"',
        }),
      ['a1', 'deep1', 'new main'],
    ],
    [
      'the TypeScript configuration redirects imports',
      () =>
        writeProject(rootDir, {
          'tsconfig.json': '{ "compilerOptions": { "paths": { "pkg": ["./mock.ts"] } } }',
          'mock.ts': 'export default "mock"',
        }),
      ['a1', 'deep1', 'mock'],
    ],
  ]

  it.each(changes)('%s', async (_what, change, value) => {
    await change()
    expect(await restart()).toEqual({ value, bundled: true })
    expect((await restart()).value).toEqual(value)
  })
})

it('in one process too, a changed import is seen by the next call', async () => {
  const compiler = openCompiler({ rootDir, cacheDir })
  for (const name of ['a1', 'x', 'a1', 'y']) {
    await edit('src/a.ts', `export const a: string = "${name}"`)
    const { bytecode } = await compiler.compileFile('src/main.ts', { root: '.' })
    expect(await runHandler(bytecode, null)).toEqual([name, 'deep1', 'pkg1'])
  }
})

it('a record tells of what the build read, so that even files just changed are known', async () => {
  await edit('src/a.ts', 'export const a = "a2"')
  expect(await restart()).toMatchObject({ value: ['a2', 'deep1', 'pkg1'], bundled: true })
  await edit('src/a.ts', 'export const a = "a3"')
  expect(await restart()).toMatchObject({ value: ['a3', 'deep1', 'pkg1'], bundled: true })
  expect(await restart()).toMatchObject({ value: ['a3', 'deep1', 'pkg1'], bundled: false })
})

it('what a TypeScript configuration extends matters', async () => {
  await writeProject(rootDir, {
    'tsconfig.json': '{ "extends": "./base" }',
    'base.json': '{ "compilerOptions": {} }',
  })
  await restart()
  expect((await restart()).bundled).toBe(false)
  await writeProject(rootDir, {
    'base.json': '{ "compilerOptions": { "paths": { "pkg": ["./mock.ts"] } } }',
    'mock.ts': 'export default "mock"',
  })
  expect(await restart()).toEqual({ value: ['a1', 'deep1', 'mock'], bundled: true })
  expect((await restart()).bundled).toBe(false)
})

it('an import of a computed name finds no file, and the rest of the handler runs', async () => {
  await mkdir(join(rootDir, 'src/parts'))
  await edit('src/parts/one.ts', 'export default 1')
  const specifier = '`./parts/$' + '{String("one")}.ts`'
  await edit(
    'src/main.ts',
    `const load = () => require('./parts/' + String('one'))
    export default async () => { try { return (await import(${specifier})).default } catch { return typeof load } }`,
  )
  expect((await restart()).value).toBe('function')
})

it('a damaged record is ignored and replaced', async () => {
  for (const name of await readdir(cacheDir)) {
    if (name.endsWith('.inputs')) await writeFile(join(cacheDir, name), '{"cacheKey":"x"}')
  }
  expect((await restart()).bundled).toBe(true)
  expect((await restart()).bundled).toBe(false)
})

async function edit(file: string, content: string): Promise<void> {
  await writeFile(join(rootDir, file), content)
}
