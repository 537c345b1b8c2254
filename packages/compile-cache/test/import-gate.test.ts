import { execFile, execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { CompileError, type HandlerCompilerOptions, type ImportRule } from '@nexus/compile-cache'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { writeProject } from './temporary-project.js'

const CANARY = 'CANARY-7d1f0c'

/** Holds `functions/`, the import root, and beside it what the author of a handler must not reach. */
let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'nexus-gate-'))
  onTestFinished(() => rm(project, { recursive: true, force: true }))
  await writeProject(project, {
    'functions/ok.js': 'export const ok = "ok"',
    'functions/note.txt': 'a note',
    'functions/.env': `TOKEN=${CANARY}`,
    'functions/.git/config.json': `{ "canary": "${CANARY}" }`,
    'functions/nexus.yaml': `secret: ${CANARY}`,
    'functions/state/log.json': `{ "canary": "${CANARY}" }`,
    'functions/sub/in.js': 'export default 1',
    'outside/secret.txt': CANARY,
    'outside/secret.json': `{ "canary": "${CANARY}" }`,
    'outside/secret.js': `export default "${CANARY}"`,
    'outside/tsconfig.json': `{ "compilerOptions": { "jsxFactory": "${CANARY}" } }`,
    'node_modules/pkg/package.json': '{ "name": "pkg", "main": "./main.js" }',
    'node_modules/pkg/main.js': 'export { default } from "./lib/value.js"',
    'node_modules/pkg/lib/value.js': 'export default "from pkg"',
    'node_modules/pkg/data.txt': `text of a package ${CANARY}`,
    'node_modules/pkg/.npmrc': `token=${CANARY}`,
    '.hidden/secret.json': `{ "canary": "${CANARY}" }`,
  })
})

function open(options: HandlerCompilerOptions = {}) {
  const privatePaths = [join(project, 'functions/state')]
  return openCompiler({ rootDir: project, privatePaths, ...options })
}

/** Compile `functions/main.ts` as written, with other files beside it. */
async function build(main: string, files: Record<string, string> = {}) {
  await writeProject(join(project, 'functions'), { 'main.ts': main, ...files })
  return open().compileFile('functions/main.ts')
}

async function resultOf(main: string, files: Record<string, string> = {}): Promise<unknown> {
  return runHandler((await build(main, files)).bytecode, null)
}

async function failure(work: Promise<unknown>): Promise<CompileError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof CompileError)) throw error ?? new Error('expected it to fail')
  return error
}

/** Nothing that the author of the handler gets to see holds a byte of a refused file, or names the host's paths. */
function expectNoLeak(error: CompileError): void {
  const seen = [error.message, JSON.stringify(error.location ?? {})].join()
  expect(seen).not.toContain(CANARY)
  expect(seen).not.toContain('root:')
}

async function expectRefused(
  rule: ImportRule,
  main: string,
  files: Record<string, string> = {},
): Promise<CompileError> {
  const error = await failure(build(main, files))
  expect(error).toMatchObject({ code: 'IMPORT_REFUSED', rule })
  expectNoLeak(error)
  return error
}

const fetchAs = (specifier: string, type?: string) =>
  `import value from ${JSON.stringify(specifier)}${type ? ` with { type: '${type}' }` : ''}\nexport default () => value`

describe('a handler may import', () => {
  it('files of its import root, as modules, text, bytes and JSON', async () => {
    const value = await resultOf(
      `import { ok } from './ok.js'
       import note from './note.txt'
       import same from './note.txt' with { type: 'text' }
       import source from './ok.js' with { type: 'text' }
       import bytes from './note.txt' with { type: 'bytes' }
       import data from './data.json' with { type: 'json' }
       export default () => [ok, note, same, source, bytes.length, data.n]`,
      { 'data.json': '{ "n": 1 }' },
    )
    expect(value).toEqual(['ok', 'a note', 'a note', 'export const ok = "ok"', 6, 1])
  })

  it('a file by its absolute path and by a file: URL, when it lies in the root', async () => {
    const path = join(project, 'functions/ok.js')
    const url = pathToFileURL(path).href
    expect(
      await resultOf(
        `import { ok } from '${path}'; import { ok as same } from '${url}'; export default () => [ok, same]`,
      ),
    ).toEqual(['ok', 'ok'])
  })

  it('data: URLs of code, JSON and text', async () => {
    expect(
      await resultOf(
        `import a from 'data:text/javascript,export default 1'
         import b from 'data:application/json;base64,eyJuIjoyfQ=='
         import c from 'data:text/plain,three%20'
         export default () => [a, b.n, c]`,
      ),
    ).toEqual([1, 2, 'three '])
  })

  it('packages above the root, and what they import', async () => {
    expect(await resultOf(fetchAs('pkg'))).toBe('from pkg')
    expect(await resultOf(fetchAs('pkg/lib/value.js'))).toBe('from pkg')
  })

  it('packages that are links into a store or a workspace, with the packages beside them', async () => {
    await writeProject(project, {
      'node_modules/.pnpm/a@1/node_modules/a/index.js': 'export { default } from "b"',
      'node_modules/.pnpm/b@1/node_modules/b/index.js': 'export default "b"',
      'packages/w/package.json': '{ "exports": "./src/w.ts" }',
      'packages/w/src/w.ts': 'import a from "a"; export default "w " + (a as string)',
    })
    const modules = join(project, 'node_modules')
    await symlink('.pnpm/a@1/node_modules/a', join(modules, 'a'))
    await symlink('../../b@1/node_modules/b', join(modules, '.pnpm/a@1/node_modules/b'))
    await symlink('../packages/w', join(modules, 'w'))
    expect(await resultOf(fetchAs('w'))).toBe('w b')
  })

  it('packages inside the root, a store there included', async () => {
    const store = 'node_modules/.pnpm/in@1/node_modules/in'
    await writeProject(join(project, 'functions'), { [`${store}/index.js`]: 'export default "in"' })
    await symlink('.pnpm/in@1/node_modules/in', join(project, 'functions/node_modules/in'))
    expect(await resultOf(fetchAs('in'))).toBe('in')
  })

  it('a link inside the root that leads inside it', async () => {
    await symlink('ok.js', join(project, 'functions/alias.js'))
    await symlink('./sub/../sub', join(project, 'functions/dir'))
    expect(
      await resultOf(
        `import { ok } from './alias.js'; import one from './dir/in.js'; export default () => [ok, one]`,
      ),
    ).toEqual(['ok', 1])
  })

  it('by exports, imports, browser and conditions of package.json', async () => {
    expect(
      await resultOf(
        `import a from '#inner'; import b from 'maps'; import c from 'maps/sub'; export default () => [a, b, c]`,
        {
          'package.json': '{ "imports": { "#inner": "./sub/in.js" } }',
          'node_modules/maps/package.json': JSON.stringify({
            exports: { '.': { node: './no.js', browser: './yes.js' }, './sub': './sub.js' },
            browser: { './sub.js': './browser-sub.js' },
          }),
          'node_modules/maps/yes.js': 'export default "yes"',
          'node_modules/maps/browser-sub.js': 'export default "browser"',
        },
      ),
    ).toEqual([1, 'yes', 'browser'])
  })

  it('through paths and baseUrl of tsconfig.json, with what it extends', async () => {
    expect(
      await resultOf(
        `import { ok } from '@/ok'; import n from 'sub/in'; export default () => [ok, n]`,
        {
          'tsconfig.json': '{ "extends": ["./base"], /* comment */ }',
          'base.json':
            '{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["./no/*", "./*"] } } }',
        },
      ),
    ).toEqual(['ok', 1])
  })

  it('more when root is wider, and it is another bundle then', async () => {
    await writeFile(join(project, 'functions/main.ts'), fetchAs('../outside/secret.json'))
    const compiler = open()
    const narrow = () => compiler.compileFile('functions/main.ts')
    expect(await failure(narrow())).toMatchObject({ rule: 'outside' })
    await compiler.compileFile('functions/main.ts', { root: '.' })
    expect(await failure(narrow())).toMatchObject({ rule: 'outside' })
    await expect(
      compiler.compileFile('functions/main.ts', { root: 'outside' }),
    ).rejects.toMatchObject({
      rule: 'outside',
    })
  })
})

describe('a path that leads out of the import root is refused', () => {
  const types = [undefined, 'text', 'bytes', 'json']
  const specifiers = [
    '../outside/secret.json',
    '../outside/secret.txt',
    './../outside/secret.js',
    './sub/../../outside/secret.json',
    '../../../../../../../../../../etc/passwd',
    '/etc/passwd',
    '/proc/self/environ',
    '/dev/zero',
    '/dev/stdin',
    'file:///etc/passwd',
    'file:/etc/passwd',
    'FILE:///etc/passwd',
    'file:///%65tc/passwd',
    'file:///functions/..%2f..%2fetc/passwd',
    'file://localhost/etc/passwd',
    'file://elsewhere.example/etc/passwd',
    'file:../outside/secret.json',
    'pkg/../../outside/secret.json',
    'pkg/lib/../../../outside/secret.json',
    '../node_modules/pkg/main.js',
    '..',
    '../',
    '/',
    '//etc/passwd',
    './/../outside/secret.json',
    '../FUNCTIONS/../outside/secret.json',
    '../functions/../outside/secret.json',
    '../outside/secret.json?query',
    '../outside/secret.json#fragment',
    './ok.js/../../outside/secret.json',
    './%2e%2e/outside/secret.json',
    './..%2foutside/secret.json',
    './\0../outside/secret.json',
    '../outside/secret.json\0.js',
    '..\\outside\\secret.json',
    'C:\\Windows\\win.ini',
    '\\\\server\\share\\file.json',
    '#../outside/secret.json',
    '.pnpm/x',
    '@scope/../../outside/secret.json',
    '@/../../outside/secret.json',
    'node_modules/pkg/main.js',
    'https://example.com/x.js',
    'source:../outside/secret.json',
    'disabled:/etc/passwd',
    'data:text/html,<b>',
    'data:text/javascript;base64,%%%',
  ]
  it.each(specifiers.flatMap((specifier) => types.map((type) => [specifier, type] as const)))(
    '%j as %s',
    async (specifier, type) => {
      const error = await failure(build(fetchAs(specifier, type)))
      expect(['IMPORT_REFUSED', 'COMPILATION_ERROR']).toContain(error.code)
      expectNoLeak(error)
    },
  )

  it.each([
    ['a dynamic import', 'export default () => import("../outside/secret.json")'],
    ['require', 'export default () => require("../outside/secret.json")'],
    ['export from', 'export { default } from "../outside/secret.js"'],
    ['export *', 'export * from "../outside/secret.js"; export default 1'],
    ['a side effect import', 'import "../outside/secret.js"; export default 1'],
    [
      'a JSX pragma',
      '/** @jsxRuntime automatic @jsxImportSource ../outside */ export default () => <a />',
    ],
  ])('by %s', async (_what, source) => {
    await writeProject(join(project, 'functions'), { 'view.tsx': source })
    await expectRefused('outside', 'export { default } from "./view.tsx"')
  })

  it('whether or not the file exists, with the same words', async () => {
    const [there, missing] = [
      await expectRefused('outside', fetchAs('../outside/secret.json')),
      await expectRefused('outside', fetchAs('../outside/nothing.json')),
    ]
    expect(there.message.replaceAll('secret', 'X')).toBe(missing.message.replaceAll('nothing', 'X'))
  })

  it('and the error names the importing file, the path as written, the rule and the setting', async () => {
    const error = await expectRefused('outside', fetchAs('../outside/secret.json', 'text'))
    expect(error.message).toContain(
      'functions/main.ts:1:19: Cannot import "../outside/secret.json"',
    )
    expect(error.message).toContain('it lies outside the import root')
    expect(error.message).toContain('importRoot in nexus.yaml')
    expect(error.message).not.toContain(project)
    expect(error.location).toMatchObject({ file: 'functions/main.ts', line: 1, column: 19 })
  })
})

describe('a link inside the import root is refused', () => {
  it.each<[string, string, string]>([
    ['to a file', '../outside/secret.json', './l.json'],
    ['to a file by its absolute path', '/etc/passwd', './l.json'],
    ['to the environment', '/proc/self/environ', './l.json'],
    ['that dangles outside', '../outside/nothing.json', './l.json'],
    ['to itself through the outside', '../functions/ok.js', './l.json'],
  ])('%s', async (_what, target, specifier) => {
    await symlink(target, join(project, 'functions/l.json'))
    for (const type of ['json', 'text', 'bytes']) {
      await expectRefused('link', fetchAs(specifier, type))
    }
  })

  it.each(['../outside', '..', '/', '/etc'])('to the directory %s', async (target) => {
    await symlink(target, join(project, 'functions/l'))
    await expectRefused('link', fetchAs('./l/secret.json', 'text'))
    await expectRefused(
      'link',
      fetchAs('./l/../outside/secret.json'.replace('/..', '/x/..'), 'text'),
    )
  })

  it('when it is the whole of node_modules, or a package in it', async () => {
    await symlink('../outside', join(project, 'functions/node_modules'))
    await expectRefused('link', fetchAs('secret.json'))
    await rm(join(project, 'functions/node_modules'))
    await mkdir(join(project, 'functions/node_modules'))
    await symlink('../../outside', join(project, 'functions/node_modules/evil'))
    await expectRefused('link', fetchAs('evil/secret.js'))
    await symlink('../../node_modules/pkg', join(project, 'functions/node_modules/linked'))
    await expectRefused('link', fetchAs('linked'))
  })

  it('through a chain of links, and one that leads to itself is not found', async () => {
    await symlink('b', join(project, 'functions/a'))
    await symlink('sub/c', join(project, 'functions/b'))
    await symlink('../../outside/secret.json', join(project, 'functions/sub/c'))
    await expectRefused('link', fetchAs('./a', 'text'))
    await symlink('loop', join(project, 'functions/loop'))
    expect(await failure(build(fetchAs('./loop', 'text')))).toMatchObject({
      code: 'COMPILATION_ERROR',
    })
  })

  it('when it is the entry', async () => {
    await symlink('../outside/secret.js', join(project, 'functions/entry.js'))
    await symlink('/etc/passwd', join(project, 'functions/passwd.js'))
    for (const name of ['entry.js', 'passwd.js']) {
      const error = await failure(open().compileFile(`functions/${name}`))
      expect(error).toMatchObject({ code: 'IMPORT_REFUSED', rule: 'link' })
      expectNoLeak(error)
      expect(() => open().readFile(`functions/${name}`)).toThrow(CompileError)
    }
  })

  it('when it is a directory on the way to the entry, below importRoot', async () => {
    await symlink('../outside', join(project, 'functions/l'))
    const compiling = open().compileFile('functions/l/secret.js', { root: 'functions' })
    expect(await failure(compiling)).toMatchObject({ rule: 'link' })
  })
})

describe('never readable, even inside the root', () => {
  it.each<[string, ImportRule]>([
    ['./.env', 'hidden'],
    ['./.git/config.json', 'hidden'],
    ['./sub/../.env', 'hidden'],
    ['./.ENV', 'hidden'],
    ['./.missing', 'hidden'],
    ['./nexus.yaml', 'private'],
    ['./NEXUS.YAML', 'private'],
    ['./state/log.json', 'private'],
    ['./State/log.json', 'private'],
    ['./state/nothing.json', 'private'],
  ])('%s: %s', async (specifier, rule) => {
    await expectRefused(rule, fetchAs(specifier, 'text'))
  })

  it('by a link, or by a hard link', async () => {
    await symlink('.env', join(project, 'functions/env.txt'))
    await expectRefused('hidden', fetchAs('./env.txt'))
    await symlink('state', join(project, 'functions/open'))
    await expectRefused('private', fetchAs('./open/log.json'))
    const config = join(project, 'functions/my-config.yml')
    await writeFile(config, CANARY)
    await link(config, join(project, 'functions/copy.txt'))
    await writeFile(join(project, 'functions/main.ts'), fetchAs('./copy.txt'))
    const error = await failure(open({ privatePaths: [config] }).compileFile('functions/main.ts'))
    expect(error).toMatchObject({ rule: 'private' })
  })

  it('the cache directory', async () => {
    const cacheDir = join(project, 'functions/cache')
    await writeProject(cacheDir, { 'a.txt': CANARY })
    await writeFile(join(project, 'functions/main.ts'), fetchAs('./cache/a.txt'))
    expect(await failure(open({ cacheDir }).compileFile('functions/main.ts'))).toMatchObject({
      rule: 'private',
    })
  })

  it('files of a package as text or bytes, and its dotfiles', async () => {
    await expectRefused('attribute', fetchAs('pkg/data.txt'))
    await expectRefused('attribute', fetchAs('pkg/data.txt', 'text'))
    await expectRefused('attribute', fetchAs('pkg/main.js', 'bytes'))
    await expectRefused('hidden', fetchAs('pkg/.npmrc', 'json'))
  })

  it.each(['./style.css', './page.html', './binary', './module.wasm', './data.csv'])(
    '%s without an attribute: no loader takes it',
    async (specifier) => {
      await expectRefused('kind', fetchAs(specifier), { [specifier]: 'x' })
      expect(await resultOf(fetchAs(specifier, 'text'))).toBe('x')
    },
  )

  it('an attribute of an unknown type', async () => {
    await expectRefused('kind', fetchAs('./note.txt', 'css'))
  })
})

describe('a package inside the root, which its author may have written, reaches nothing outside', () => {
  const evil = (files: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`node_modules/evil/${name}`, text]),
    )

  it.each<[string, object]>([
    ['main', { main: '../../../outside/secret.js' }],
    ['main by an absolute path', { main: '/etc/passwd' }],
    ['module', { module: '../../../outside/secret.js' }],
    ['browser', { browser: '../../../outside/secret.js' }],
    ['a browser map', { main: './m.js', browser: { './m.js': '../../../outside/secret.js' } }],
    ['a browser map to a path', { main: './m.js', browser: { './m.js': '/etc/passwd' } }],
    ['exports', { exports: './../../../outside/secret.js' }],
    ['exports by an absolute path', { exports: '/etc/passwd' }],
    ['exports by a URL', { exports: 'file:///etc/passwd' }],
    ['exports with a pattern', { exports: { '.': './m.js', './*': '../../../*' } }],
    ['nested conditions', { exports: { import: { browser: ['../../../outside/secret.js'] } } }],
    ['a null package', { exports: null, main: null }],
  ])('by %s', async (_what, manifest) => {
    const files = evil({ 'package.json': JSON.stringify(manifest) })
    const error = await failure(build(fetchAs('evil'), files))
    expectNoLeak(error)
    expectNoLeak(await failure(build(fetchAs('evil/outside/secret.js'), files)))
  })

  it.each([
    '../../ok.js',
    '../other/index.js',
    '../../../outside/secret.js',
    '/etc/passwd',
    '../../.env',
  ])('by the relative path %s of one of its files', async (specifier) => {
    await expectRefused('outside', fetchAs('evil'), {
      ...evil({ 'index.js': fetchAs(specifier) }),
      'node_modules/other/index.js': 'export default 1',
    })
  })

  it('by imports of package.json in the root', async () => {
    for (const target of [
      '../outside/secret.js',
      '/etc/passwd',
      './l/secret.js',
      'file:///etc/passwd',
    ]) {
      const manifest = { 'package.json': JSON.stringify({ imports: { '#x': target } }) }
      expectNoLeak(await failure(build(fetchAs('#x'), manifest)))
    }
  })

  it('by a package.json that is damaged, a link, or a list, whose text is in no error', async () => {
    for (const text of [
      CANARY,
      '[]',
      'null',
      '"x"',
      '{"main": {}}',
      '{"exports": 5}',
      '{"name": ',
    ]) {
      expectNoLeak(await failure(build(fetchAs('evil'), evil({ 'package.json': text }))))
    }
    const manifest = join(project, 'functions/node_modules/evil/package.json')
    await rm(manifest)
    await symlink(join(project, 'outside/secret.json'), manifest)
    await expectRefused('link', fetchAs('evil'))
  })

  it('and costs no more time than its files take, however its package.json is made', async () => {
    const deep = `${'{"import":'.repeat(2000)}"./m.js"${'}'.repeat(2000)}`
    const stars = '**/'.repeat(3000)
    for (const text of [
      `{"exports": ${deep}}`,
      `{"sideEffects": ["${stars}x", "${'*a'.repeat(500)}b"], "main": "./m.js"}`,
      `{"browser": {"./m.js": "./n.js", "./n.js": "./m.js"}, "main": "./m.js"}`,
      `{"exports": {${Array.from({ length: 5000 }, (_, n) => `"./${n}/*": "./x/*"`).join()}}}`,
    ]) {
      const files = evil({
        'package.json': text,
        'm.js': 'export default 1',
        [`${'d/'.repeat(20)}x.js`]: '',
      })
      const error = await build(fetchAs('evil'), files).catch((thrown: unknown) => thrown)
      if (error instanceof Error) expect(error).toBeInstanceOf(CompileError)
    }
  })
})

describe('tsconfig.json reaches nothing outside', () => {
  it.each<[string, object]>([
    ['extends', { extends: '../outside/tsconfig.json' }],
    ['extends without an extension', { extends: '../outside/tsconfig' }],
    ['extends by an absolute path', { extends: '/etc/passwd' }],
    ['extends in a list', { extends: ['../outside/tsconfig.json'] }],
    ['extends of a dotfile', { extends: './.git/config.json' }],
  ])('by %s', async (_what, config) => {
    const error = await failure(
      build('export default 1', { 'tsconfig.json': JSON.stringify(config) }),
    )
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED' })
    expectNoLeak(error)
  })

  it.each<[string, object]>([
    ['paths', { paths: { x: ['../outside/secret.js'] } }],
    ['paths with a pattern', { baseUrl: '..', paths: { '*': ['./outside/*'] } }],
    ['paths of the whole disk', { paths: { '*': ['/etc/*', '/outside/*'] } }],
    ['baseUrl', { baseUrl: '../outside' }],
  ])('by %s', async (_what, compilerOptions) => {
    const files = { 'tsconfig.json': JSON.stringify({ compilerOptions }) }
    for (const specifier of ['x', 'secret.js', 'passwd']) {
      expectNoLeak(await failure(build(fetchAs(specifier), files)))
    }
  })

  it('above the root: it is not read at all', async () => {
    await writeFile(
      join(project, 'tsconfig.json'),
      '{ "compilerOptions": { "paths": { "x": ["./outside/secret.js"] } } }',
    )
    expectNoLeak(await failure(build(fetchAs('x'))))
  })

  it('as a link, and its text is in no error', async () => {
    await symlink(join(project, 'outside/tsconfig.json'), join(project, 'functions/tsconfig.json'))
    const error = await failure(build('export default 1'))
    expect(error).toMatchObject({ rule: 'link' })
    expectNoLeak(error)
  })
})

describe('a source map comment reaches nothing outside', () => {
  it.each([
    '/etc/passwd',
    '../outside/secret.json',
    'file:///etc/passwd',
    '.env',
    './.git/config.json',
    'nexus.yaml',
    './missing.map',
    'data:application/json,%7B%22version%22:3,%22sources%22:[%22/etc/passwd%22],%22mappings%22:%22AAAA%22%7D',
    'data:application/json,%7B%22version%22:3,%22sources%22:[%22../outside/secret.txt%22],%22sourcesContent%22:[null],%22mappings%22:%22AAAA%22%7D',
    'data:application/json,nonsense',
    'data:,',
  ])('%s', async (url) => {
    const source = `export default () => 1\n//# sourceMappingURL=${url}\n`
    for (const main of [source, `/*# sourceMappingURL=${url} */\nexport default () => 1`]) {
      const { sourceMap, bytecode } = await build(main)
      expect(sourceMap).not.toContain(CANARY)
      expect(sourceMap).not.toContain('root:')
      expect(await runHandler(bytecode, null)).toBe(1)
    }
    const { sourceMap } = await open().compile(source, { language: 'ts' })
    expect(sourceMap).not.toContain('root:')
  })

  it('and a map inside the root is followed', async () => {
    const map = {
      version: 3,
      sources: ['real.ts'],
      sourcesContent: ['the author wrote this'],
      mappings: 'AAAA',
    }
    const { sourceMap } = await build('export { default } from "./built.js"', {
      'built.js': 'export default () => 1\n//# sourceMappingURL=built.js.map',
      'built.js.map': JSON.stringify(map),
    })
    expect(sourceMap).toContain('the author wrote this')
  })
})

describe('only regular files, within limits', () => {
  it('a pipe does not hold the build', async () => {
    execFileSync('mkfifo', [join(project, 'functions/pipe.json')])
    execFileSync('mkfifo', [join(project, 'functions/tsconfig.json')])
    const error = await failure(build(fetchAs('./pipe.json')))
    expect(error).toMatchObject({ rule: 'not-a-file' })
    await rm(join(project, 'functions/tsconfig.json'))
    await expectRefused('not-a-file', fetchAs('./pipe.json', 'text'))
  })

  it('an entry that is a pipe, or a directory, is refused', async () => {
    execFileSync('mkfifo', [join(project, 'functions/entry.js')])
    for (const path of ['functions/entry.js', 'functions/sub']) {
      expect(await failure(open().compileFile(path))).toMatchObject({ rule: 'not-a-file' })
      expect(() => open().readFile(path)).toThrow(CompileError)
    }
  })

  it('a directory without an index is not found', async () => {
    expect((await failure(build(fetchAs('./sub')))).code).toBe('COMPILATION_ERROR')
  })

  it('a file of exactly maxFileBytes is read, one byte more is not', async () => {
    await writeProject(join(project, 'functions'), {
      'main.ts': fetchAs('./big.txt'),
      'big.txt': 'x'.repeat(1000),
    })
    const compile = () => open({ maxFileBytes: 1000 }).compileFile('functions/main.ts')
    await compile()
    await writeFile(join(project, 'functions/big.txt'), 'x'.repeat(1001))
    const error = await failure(compile())
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', rule: 'file-size' })
    expect(error.message).toContain('maxFileBytes (expected at most 1000 bytes, got 1001)')
  })

  it('a sparse file of many gigabytes is refused by its size, unread', async () => {
    execFileSync('truncate', ['-s', '8G', join(project, 'functions/sparse.txt')])
    expect(await failure(build(fetchAs('./sparse.txt')))).toMatchObject({ rule: 'file-size' })
  })

  it('files of exactly maxBundleBytes make a bundle, one byte more does not', async () => {
    const main = fetchAs('./big.txt')
    await writeProject(join(project, 'functions'), { 'main.ts': main, 'big.txt': 'x'.repeat(100) })
    const compile = () =>
      open({ maxBundleBytes: main.length + 100 }).compileFile('functions/main.ts')
    await compile()
    await writeFile(join(project, 'functions/big.txt'), 'x'.repeat(101))
    const error = await failure(compile())
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', rule: 'bundle-size' })
    expect(error.message).toContain('maxBundleBytes')
  })

  it('a build that takes too long is ended, and names the setting', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [
        `c${n}.js`,
        `export { default } from './c${n + 1}.js'`,
      ]),
    )
    await writeProject(join(project, 'functions'), {
      ...chain,
      'c3000.js': 'export default 1',
      'main.ts': fetchAs('./c0.js'),
    })
    const compiling = open({ compileTimeoutMs: 1 }).compileFile('functions/main.ts')
    const error = await failure(compiling)
    expect(error.code).toBe('RESOURCE_LIMIT')
    expect(error.message).toContain('compileTimeoutMs')
  })
})

describe('the cache is not fooled', () => {
  it('by a file that becomes a link to another with the same bytes', async () => {
    const cacheDir = join(project, 'the-cache')
    await writeProject(join(project, 'functions'), {
      'main.ts': fetchAs('./data.json'),
      'data.json': await readFile(join(project, 'outside/secret.json'), 'utf8'),
    })
    const compile = () => open({ cacheDir }).precompile([{ path: 'functions/main.ts' }])
    await compile()
    await rm(join(project, 'functions/data.json'))
    await symlink('../outside/secret.json', join(project, 'functions/data.json'))
    expect(await failure(compile())).toMatchObject({ rule: 'link' })
  })

  it('by a file that becomes a pipe, which does not hold the look at the cache', async () => {
    const cacheDir = join(project, 'the-cache')
    const compile = () => open({ cacheDir }).precompile([{ path: 'functions/main.ts' }])
    await writeProject(join(project, 'functions'), {
      'main.ts': fetchAs('./data.json'),
      'data.json': '{}',
    })
    await compile()
    await rm(join(project, 'functions/data.json'))
    execFileSync('mkfifo', [join(project, 'functions/data.json')])
    expect(await failure(compile())).toMatchObject({ rule: 'not-a-file' })
  })

  it('by a directory that becomes private', async () => {
    const cacheDir = join(project, 'the-cache')
    await writeFile(join(project, 'functions/main.ts'), fetchAs('./sub/in.js'))
    const compile = (privatePaths: string[]) =>
      open({ cacheDir, privatePaths }).precompile([{ path: 'functions/main.ts' }])
    await compile([])
    expect(await failure(compile([join(project, 'functions/sub')]))).toMatchObject({
      rule: 'private',
    })
  })
})

const hasStrace = await promisify(execFile)('strace', ['-V']).then(
  () => true,
  () => false,
)

it.skipIf(!hasStrace)(
  'the build opens no file outside, by any thread or child process',
  async () => {
    await writeProject(project, {
      'tsconfig.json': '{}',
      'package.json': '{}',
      '.pnp.cjs': '',
      'functions/main.tsx': [
        'import a from "./sub/in.js"',
        'import pkg from "pkg"',
        'import { z } from "missing-package"',
        'import x from "../outside/secret.json" with { type: "text" }',
        'import("../outside/" + a + ".js"); import(`./../outside/$' +
          '{a}.json`); require("../outside/" + a)',
        'new URL("../outside/secret.json", import.meta.url)',
        'require.resolve("../outside/secret.json"); import.meta.resolve("../outside/secret.json")',
        'new Worker(new URL("../outside/secret.js", import.meta.url))',
        'export default () => [a, pkg, x, z, <b />]',
        '//# sourceMappingURL=../outside/secret.json',
      ].join('\n'),
      'functions/tsconfig.json': '{ "compilerOptions": { "paths": { "*": ["../outside/*"] } } }',
    })
    await symlink('../outside/secret.js', join(project, 'functions/link.js'))
    const trace = join(project, 'trace')
    const child = new URL('./children/compile-file.mjs', import.meta.url).pathname
    await promisify(execFile)('strace', [
      ...['-f', '-qq', '-e', 'trace=open,openat,openat2,execve', '-s', '300', '-o', trace],
      ...[process.execPath, child, project, 'functions/main.tsx'],
    ])
    const opened = [
      ...(await readFile(trace, 'utf8')).matchAll(/open(?:at2?)?\((?:AT_FDCWD, )?"([^"]+)"/g),
    ]
      .map(([, path]) => path!)
      .filter((path) => path.startsWith(project))
    expect(opened).toContain(join(project, 'functions/main.tsx'))
    expect(opened).toContain(join(project, 'node_modules/pkg/main.js'))
    const allowed = [join(project, 'functions/'), join(project, 'node_modules/pkg/')]
    expect(opened.filter((path) => !allowed.some((start) => path.startsWith(start)))).toEqual([])
  },
)
