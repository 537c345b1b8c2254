import { link, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompileError } from '@nexus/compile-cache'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { writeProject } from './temporary-project.js'

let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'nexus-costs-'))
  onTestFinished(() => rm(project, { recursive: true, force: true }))
})

/** Compiles `functions/main.ts`; the error, if it fails. */
async function build(files: Record<string, string>): Promise<CompileError | undefined> {
  await writeProject(join(project, 'functions'), files)
  const privatePaths = [join(project, 'data')]
  return openCompiler({ rootDir: project, privatePaths, cacheDir: join(project, 'cache') })
    .compileFile('functions/main.ts')
    .then(
      () => undefined,
      (error: CompileError) => error,
    )
}

const importOf = (specifier: string) =>
  `import value from ${JSON.stringify(specifier)}\nexport default () => value`

describe('finding a module', () => {
  it('works down to a depth that no project needs, and is refused below', async () => {
    const at = (depth: number) => `./${'d/'.repeat(depth)}x.ts`
    for (const [depth, code] of [
      [60, undefined],
      [99, undefined],
      [100, 'RESOURCE_LIMIT'],
      [400, 'RESOURCE_LIMIT'],
    ] as const) {
      const files = { 'main.ts': importOf(at(depth)), [at(depth)]: 'export default 1' }
      expect([depth, (await build(files))?.code]).toEqual([depth, code])
    }
  })

  it.each([
    ['a path', `./${'d/'.repeat(2_000)}x`],
    ['a path up and down', `./${'d/../'.repeat(800)}x`],
    ['a package', `p/${'d/'.repeat(2_000)}x`],
    ['a URL', `file:///${'d/'.repeat(1_500)}x`],
  ])('is refused for %s of thousands of names', async (_what, specifier) => {
    const error = await build({ 'main.ts': importOf(specifier) })
    expect(error).toBeInstanceOf(CompileError)
  })

  it.each([
    ['exports', { name: 'pkg', exports: `./${'d/'.repeat(2_000)}x.js` }],
    ['main', { name: 'pkg', main: `./${'d/'.repeat(2_000)}x.js` }],
    ['browser', { name: 'pkg', main: './a.js', browser: { './a.js': `./${'d/'.repeat(2_000)}x` } }],
  ])('is refused where %s of a package leads that deep', async (_what, manifest) => {
    const error = await build({
      'main.ts': importOf('pkg'),
      'node_modules/pkg/package.json': JSON.stringify(manifest),
    })
    expect(error).toBeInstanceOf(CompileError)
  })

  it('is refused where paths of tsconfig.json lead that deep', async () => {
    const deep = `./${'d/'.repeat(2_000)}*`
    const error = await build({
      'main.ts': importOf('@/x'),
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@/*': [deep] } } }),
    })
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', rule: 'resolve-steps' })
  })

  it('is refused where links lead over links, each with hundreds of names', async () => {
    const root = join(project, 'functions')
    await mkdir(join(root, 'd'), { recursive: true })
    for (let i = 0; i < 39; i++) {
      await symlink(`${'d/../'.repeat(600)}${i === 38 ? 'd' : `l${i + 1}`}`, join(root, `l${i}`))
    }
    for (const specifier of ['./l0/x.ts', './l0/nope', `./l0/${'e/'.repeat(20)}nope`]) {
      expect(
        await build({ 'main.ts': importOf(specifier), 'd/x.ts': 'export default 1' }),
      ).toMatchObject({
        code: 'RESOURCE_LIMIT',
        rule: 'resolve-steps',
      })
    }
  })

  it('follows as many links as an ordinary project has', async () => {
    const root = join(project, 'functions')
    await mkdir(join(root, 'd'), { recursive: true })
    for (let i = 0; i < 39; i++) await symlink(i === 38 ? 'd' : `l${i + 1}`, join(root, `l${i}`))
    expect(
      await build({ 'main.ts': importOf('./l0/x.ts'), 'd/x.ts': 'export default 1' }),
    ).toBeUndefined()
  })
})

describe('a hard link in the import root', () => {
  it.each([
    ['the data directory', 'data/events.log'],
    ['a directory in it', 'data/sub/deeper/e.json'],
    ['the cache directory', 'cache/ab/x.bin'],
  ])('to a file in %s is refused', async (_what, file) => {
    await writeProject(project, { [file]: '"CANARY"', 'functions/main.ts': '' })
    await link(join(project, file), join(project, 'functions/copy.txt'))
    const error = await build({ 'main.ts': importOf('./copy.txt') })
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED', rule: 'private' })
    expect(error?.message).not.toContain('CANARY')
  })

  it('to another file of the import root, or of elsewhere, is a file of the root', async () => {
    await writeProject(project, { 'functions/a.txt': 'a', 'other/b.txt': 'b', 'data/x': 'x' })
    await link(join(project, 'functions/a.txt'), join(project, 'functions/a2.txt'))
    await link(join(project, 'other/b.txt'), join(project, 'functions/b2.txt'))
    for (const name of ['a.txt', 'a2.txt', 'b2.txt']) {
      expect(await build({ 'main.ts': importOf(`./${name}`) })).toBeUndefined()
    }
  })
})

describe('a refusal about tsconfig.json names what asked, and the path as written', () => {
  it('when it is a link out', async () => {
    await writeProject(project, { 'outside/tsconfig.json': '{}', 'functions/main.ts': '' })
    await symlink('../outside/tsconfig.json', join(project, 'functions/tsconfig.json'))
    const error = await build({ 'main.ts': 'export default () => 1' })
    expect(error?.message).toContain('Cannot read "tsconfig.json" for main.ts: a symbolic link')
  })

  it('when what it extends lies outside', async () => {
    await writeProject(project, { 'outside/tsconfig.json': '{}' })
    const error = await build({
      'main.ts': 'export default () => 1',
      'tsconfig.json': '{ "extends": "../outside/tsconfig.json" }',
    })
    expect(error?.message).toContain(
      'Cannot read "../outside/tsconfig.json" for tsconfig.json: it lies outside',
    )
  })
})
