import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { CompileError, type HandlerCompilerOptions } from '@nexus/compile-cache'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { writeProject } from './temporary-project.js'

/** In every file that a handler must not read. */
const CANARY = 'CANARY-b2e41a'

/** Holds `functions/`, the import root, and files around it that nothing in there may reach. */
let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'nexus-attack-'))
  onTestFinished(() => rm(project, { recursive: true, force: true }))
  await writeProject(project, {
    'functions/ok.js': 'export default "ok"',
    'functions/.env': CANARY,
    'functions/.env.json': `{ "canary": "${CANARY}" }`,
    'functions/nexus.yaml': `secret: ${CANARY}`,
    'functions/node_modules/.package-lock.json': `{ "canary": "${CANARY}" }`,
    'functions/node_modules/.bin/tool.js': `export default "${CANARY}"`,
    'functions/sub/.hidden/x.json': `{ "canary": "${CANARY}" }`,
    'node_modules/.package-lock.json': `{ "canary": "${CANARY}" }`,
    'node_modules/.cache/x.json': `{ "canary": "${CANARY}" }`,
    'node_modules/.pnpm/lock.yaml': CANARY,
    'node_modules/pkg/package.json': '{ "name": "pkg", "main": "./main.js" }',
    'node_modules/pkg/main.js': 'export default "pkg"',
    'node_modules/pkg/.secret.json': `{ "canary": "${CANARY}" }`,
    'node_modules/loose.json': `{ "canary": "${CANARY}" }`,
    'outside/secret.js': `export default "${CANARY}"`,
    'outside/secret.json': `{ "canary": "${CANARY}" }`,
    'outside/secret.txt': CANARY,
    'outside/index.js': `export default "${CANARY}"`,
    'outside/jsx-runtime.js': `export const jsx = () => "${CANARY}", jsxs = jsx, Fragment = 0`,
  })
})

const inRoot = (files: Record<string, string>) => writeProject(join(project, 'functions'), files)

/** What an author can see of a build: the error, or all that came out of it. */
async function seenBy(
  files: Record<string, string>,
  options: HandlerCompilerOptions = {},
  entry = 'main.ts',
): Promise<{ error: CompileError | undefined; seen: string }> {
  await inRoot(files)
  const compiler = openCompiler({ rootDir: project, ...options })
  try {
    const { bytecode, sourceMap } = await compiler.compileFile(`functions/${entry}`)
    return { error: undefined, seen: Buffer.from(bytecode).toString('latin1') + sourceMap }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return { error, seen: error.message + JSON.stringify(error.location ?? {}) }
  }
}

/** Whatever comes of it, no byte of a file outside is seen, and the error is one of this package. */
async function expectNothing(files: Record<string, string>): Promise<CompileError | undefined> {
  const { error, seen } = await seenBy(files)
  expect(seen).not.toContain(CANARY)
  expect(seen).not.toContain('root:x:')
  expect(seen).not.toContain('PATH=')
  if (error) {
    expect(error.code).not.toBe('INTERNAL_ERROR')
    expect(error.message).not.toContain(project)
    expect(error.message).not.toContain('INTERNAL_ERROR')
  }
  return error
}

async function expectFailure(files: Record<string, string>): Promise<CompileError> {
  const error = await expectNothing(files)
  if (!error) throw new Error('expected the build to fail')
  return error
}

const fetchAs = (specifier: string, type?: string) =>
  `import value from ${JSON.stringify(specifier)}${type ? ` with { type: '${type}' }` : ''}\nexport default () => value`

describe('a specifier reaches nothing outside the import root', () => {
  const paths = [
    './.env.json',
    './node_modules/.package-lock.json',
    './node_modules/.bin/tool.js',
    './sub/.hidden/x.json',
    '.package-lock.json',
    '.cache/x.json',
    '.pnpm/lock.yaml',
    '.bin/tool.js',
    'pkg/.secret.json',
    'pkg/./.secret.json',
    'pkg/lib/../.secret.json',
    'pkg/',
    'pkg/.',
    'pkg/..',
    'pkg/../.package-lock.json',
    'pkg/../loose.json',
    'loose.json',
    '..',
    '../.',
    '../outside/',
    '../outside/.',
    '../outside',
    './../outside/index',
    './/..//outside//secret.json',
    './.../../../outside/secret.json',
    './sub/./../../outside/secret.json',
    '.\\..\\outside\\secret.json',
    '..\\/outside/secret.json',
    './sub\\..\\..\\outside\\secret.json',
    '/proc/self/root/etc/passwd',
    '/proc/self/cwd/package.json',
    '/proc/self/fd/0',
    '/proc/self/fd/1',
    '/proc/self/maps',
    '/proc/self/mem',
    '/proc/1/environ',
    '/proc/thread-self/environ',
    '/dev/stdin',
    '/dev/fd/0',
    '/dev/tty',
    '/dev/zero',
    '/sys/kernel/uevent_seqnum',
    'file://localhost/etc/passwd',
    'file://LOCALHOST/etc/passwd',
    'file://host/etc/passwd',
    'file://127.0.0.1/etc/passwd',
    'file:etc/passwd',
    'file:./ok.js',
    'file:/proc/self/environ',
    'FiLe:///etc/passwd',
    'file:///etc/passwd?x#y',
    'file:///etc%2Fpasswd',
    'file:///%2e%2e/etc/passwd',
    'file:///etc/passwd%00.js',
    'file:\\\\\\etc\\passwd',
    'file:////etc/passwd',
    ' /etc/passwd',
    '/etc/passwd ',
    '\t/etc/passwd',
    '\n../outside/secret.json',
    '/etc/passwd/',
    '/etc/passwd/.',
    '/etc/./passwd',
    '//etc//passwd',
    '/etc/passwd?raw',
    '../outside/secret.json?raw',
    './ok.js?x=/../../outside/secret.json',
    './ok.js#/../../outside/secret.json',
    '?../outside/secret.json',
    '#',
    '#/',
    '#/../outside/secret.json',
    '~/outside/secret.json',
    '~pkg/../../outside/secret.json',
    '!!../outside/secret.json',
    'raw-loader!../outside/secret.json',
    '$PWD/outside/secret.json',
    '%2e%2e/outside/secret.json',
    './%252e%252e/outside/secret.json',
    './\uFF0E\uFF0E/outside/secret.json',
    './..\u0000/outside/secret.json',
    './..\u200b/outside/secret.json',
    './\u2024\u2024/outside/secret.json',
    './‥/outside/secret.json',
    './node_modules/../../outside/secret.json',
    'node_modules/../../outside/secret.json',
    '@/outside/secret.json',
    '@a/../../../outside/secret.json',
    '@../outside/secret.json',
    '@a/b/../../../../outside/secret.json',
    'DATA:text/plain,x',
    'data:text/javascript,import x from "/etc/passwd"; export default x',
    'data:text/javascript,import x from "./ok.js"; export default x',
    'data:text/javascript,export default require("../outside/secret.js")',
    'data:application/json;charset=utf-8,{"a":1}',
    'data:text/javascript;base64,aW1wb3J0IHggZnJvbSAnL2V0Yy9wYXNzd2QnO2V4cG9ydCBkZWZhdWx0IHg=',
    'http://127.0.0.1:1/x.js',
    'blob:x',
    'node:fs',
    'fs/promises',
    'nexus:prelude',
    'source:functions/main.ts',
    '/\0/entry',
    '<stdin>',
    `./${'a/'.repeat(3000)}x.json`,
    `./${'../'.repeat(2000)}etc/passwd`,
    `./${'x'.repeat(100_000)}`,
    'x'.repeat(100_000),
    `${'node_modules/'.repeat(300)}x`,
  ]
  it.each(paths.map((path) => [path.slice(0, 80), path]))('%j', async (_name, path) => {
    const main = [undefined, 'json', 'text', 'bytes']
      .map(
        (type, n) =>
          `import v${n} from ${JSON.stringify(path)}${type ? ` with { type: '${type}' }` : ''}`,
      )
      .join('\n')
    await expectNothing({ 'main.ts': `${main}\nexport default () => [v0, v1, v2, v3]` })
    await expectNothing({
      'main.ts': `export default async () => [await import(${JSON.stringify(path)}), require(${JSON.stringify(path)})]`,
    })
  })

  it('by a name in another Unicode form, or another case, of something private', async () => {
    const state = join(project, 'functions/caf\u00e9')
    await writeProject(state, { 'x.json': `{ "canary": "${CANARY}" }` })
    for (const name of ['caf\u00e9', 'cafe\u0301', 'CAF\u00c9', 'Cafe\u0301']) {
      const { error, seen } = await seenBy(
        { 'main.ts': fetchAs(`./${name}/x.json`) },
        { privatePaths: [state] },
      )
      expect([name, error?.rule]).toEqual([name, 'private'])
      expect(seen).not.toContain(CANARY)
    }
  })
})

describe('a name that an operator owns is not readable under another name', () => {
  it('nexus.yaml through a link, a hard link, or both', async () => {
    const config = join(project, 'functions/nexus.yaml')
    await symlink('nexus.yaml', join(project, 'functions/soft.txt'))
    await link(config, join(project, 'functions/hard.txt'))
    await symlink('hard.txt', join(project, 'functions/both.txt'))
    for (const name of ['soft.txt', 'hard.txt', 'both.txt']) {
      const error = await expectFailure({ 'main.ts': fetchAs(`./${name}`, 'text') })
      expect([name, error.rule]).toEqual([name, 'private'])
    }
  })

  it('nexus.yaml above the root, by a hard link into the root', async () => {
    await writeFile(join(project, 'nexus.yaml'), CANARY)
    await link(join(project, 'nexus.yaml'), join(project, 'functions/copy.txt'))
    const { error, seen } = await seenBy(
      { 'main.ts': fetchAs('./copy.txt') },
      { privatePaths: [join(project, 'nexus.yaml')] },
    )
    expect(error?.rule).toBe('private')
    expect(seen).not.toContain(CANARY)
  })

  it('a dotfile through a hard link is another file of the root: its author could copy it as well', async () => {
    await link(join(project, 'functions/.env'), join(project, 'functions/env.txt'))
    expect((await seenBy({ 'main.ts': fetchAs('./env.txt') })).error).toBeUndefined()
  })

  it('a file in a private directory, by a hard link to the directory’s path through the parent', async () => {
    const { error } = await seenBy(
      { 'main.ts': fetchAs('./sub/../sub/./x.json'), 'sub/x.json': `{"canary":"${CANARY}"}` },
      { privatePaths: [join(project, 'functions/sub')] },
    )
    expect(error?.rule).toBe('private')
  })
})

describe('package.json reaches nothing outside', () => {
  const evil = (manifest: object, files: Record<string, string> = {}) => ({
    'node_modules/evil/package.json': JSON.stringify(manifest),
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`node_modules/evil/${name}`, text]),
    ),
  })
  const outside = '../../../outside/secret.js'
  const absolute = () => join(project, 'outside/secret.js')

  it.each<[string, () => object]>([
    ['exports of ../', () => ({ exports: { '.': outside } })],
    ['exports of ./../', () => ({ exports: { '.': `./${outside}` } })],
    [
      'exports with a node_modules in it',
      () => ({ exports: { '.': './node_modules/../../../../outside/secret.js' } }),
    ],
    [
      'exports with an encoded path',
      () => ({ exports: { '.': './%2e%2e/%2e%2e/%2e%2e/outside/secret.js' } }),
    ],
    ['exports with backslashes', () => ({ exports: { '.': './..\\..\\..\\outside\\secret.js' } })],
    ['exports of a directory', () => ({ exports: { './': '../../../', '.': './m.js' } })],
    ['exports of an absolute path', () => ({ exports: absolute() })],
    ['exports of a file: URL', () => ({ exports: pathToFileURL(absolute()).href })],
    ['exports of an array', () => ({ exports: ['./none.js', outside, absolute()] })],
    ['exports by a condition', () => ({ exports: { import: outside, default: absolute() } })],
    ['main', () => ({ main: outside })],
    ['main of a directory', () => ({ main: '../../../outside' })],
    ['main of an absolute path', () => ({ main: absolute() })],
    ['main of a number', () => ({ main: 5 })],
    ['module', () => ({ module: outside })],
    ['browser as a path', () => ({ browser: absolute() })],
    ['browser as a map', () => ({ main: './m.js', browser: { './m.js': outside } })],
    [
      'browser as a map to an absolute path',
      () => ({ main: './m.js', browser: { './m.js': absolute() } }),
    ],
    ['browser as a map of a package', () => ({ main: './m.js', browser: { pkg: outside } })],
    ['imports', () => ({ main: './i.js', imports: { '#x': outside } })],
    ['imports to an absolute path', () => ({ main: './i.js', imports: { '#x': absolute() } })],
    [
      'imports to a file: URL',
      () => ({ main: './i.js', imports: { '#x': pathToFileURL(absolute()).href } }),
    ],
    [
      'imports to a package path',
      () => ({ main: './i.js', imports: { '#x': 'pkg/../../outside/secret.js' } }),
    ],
    [
      'imports by a pattern',
      () => ({ main: './i.js', imports: { '#*': '../../../outside/*ecret.js' } }),
    ],
    ['a name of ../', () => ({ name: '../../outside', exports: { './secret.js': './m.js' } })],
  ])('by %s', async (_what, manifest) => {
    await expectNothing({
      ...evil(manifest(), {
        'm.js': 'import v from "pkg"; export default v',
        'i.js': 'export { default } from "#x"',
      }),
      'main.ts': fetchAs('evil'),
    })
    await expectNothing({ 'main.ts': fetchAs('evil/outside/secret.js') })
  })

  it('when it is a link out, or its main is', async () => {
    await inRoot({ ...evil({ main: './l.js' }), 'node_modules/other/index.js': '' })
    await symlink('../../../outside/secret.js', join(project, 'functions/node_modules/evil/l.js'))
    expect((await expectFailure({ 'main.ts': fetchAs('evil') })).rule).toBe('link')
    // Even when a file is found without it.
    await symlink(
      join(project, 'outside/secret.json'),
      join(project, 'functions/node_modules/other/package.json'),
    )
    expect((await expectFailure({ 'main.ts': fetchAs('other') })).rule).toBe('link')
  })

  it('of the root: self-reference and imports', async () => {
    for (const target of ['../outside/secret.js', absolute(), pathToFileURL(absolute()).href]) {
      const manifest = { name: 'me', exports: { './x': target }, imports: { '#x': target } }
      for (const specifier of ['me/x', '#x']) {
        await expectFailure({
          'package.json': JSON.stringify(manifest),
          'main.ts': fetchAs(specifier),
        })
      }
    }
    const own = { name: 'me', exports: { './x': './ok.js' } }
    const { error } = await seenBy({
      'package.json': JSON.stringify(own),
      'main.ts': fetchAs('me/x'),
    })
    expect(error).toBeUndefined()
  })

  it('with a nested node_modules that is a link out, inside the root', async () => {
    await inRoot(evil({}, { 'index.js': 'export { default } from "secret.js"' }))
    await symlink('../../../outside', join(project, 'functions/node_modules/evil/node_modules'))
    expect((await expectFailure({ 'main.ts': fetchAs('evil') })).rule).toBe('link')
  })

  it('of a package above the root, which may not be left by its own maps', async () => {
    const manifest = { browser: { './main.js': '../../outside/secret.js' }, main: './main.js' }
    await writeProject(project, { 'node_modules/pkg/package.json': JSON.stringify(manifest) })
    await expectNothing({ 'main.ts': fetchAs('pkg') })
    await writeProject(project, {
      'node_modules/pkg/package.json': '{}',
      'node_modules/pkg/index.js': 'export { default } from "../../outside/secret.js"',
    })
    await expectFailure({ 'main.ts': fetchAs('pkg') })
  })

  it('by a link inside a package above the root to somewhere else', async () => {
    await symlink('../../outside/secret.js', join(project, 'node_modules/pkg/l.js'))
    expect((await expectFailure({ 'main.ts': fetchAs('pkg/l.js') })).rule).toBe('link')
  })
})

describe('tsconfig.json and JSX reach nothing outside', () => {
  it.each<[string, object]>([
    ['paths', { compilerOptions: { paths: { x: ['../outside/secret'] } } }],
    ['paths with a *', { compilerOptions: { paths: { '*': ['../outside/secret*', '/etc/*'] } } }],
    ['paths that climb with the star', { compilerOptions: { paths: { 'x*': ['./*'] } } }],
    ['baseUrl', { compilerOptions: { baseUrl: '../outside', paths: { x: ['secret.js'] } } }],
    [
      'baseUrl of an absolute path',
      { compilerOptions: { baseUrl: '/', paths: { x: ['etc/passwd'] } } },
    ],
    ['rootDirs', { compilerOptions: { rootDirs: ['.', '../outside'] } }],
    ['references', { references: [{ path: '../outside' }] }],
    ['extends of a package that is not there', { extends: 'missing/tsconfig' }],
    ['extends of a package', { extends: 'pkg/../../outside/secret.json' }],
    ['extends of a package’s dotfile', { extends: 'pkg/.secret.json' }],
    ['extends of a number', { extends: 5 }],
    ['extends of itself', { extends: './tsconfig.json' }],
    ['typeRoots', { compilerOptions: { typeRoots: ['../outside'], types: ['secret'] } }],
    ['jsxImportSource', { compilerOptions: { jsx: 'react-jsx', jsxImportSource: '../outside' } }],
    [
      'jsxImportSource of a dotfile',
      { compilerOptions: { jsx: 'react-jsx', jsxImportSource: './.hidden' } },
    ],
    ['a jsxFactory of code', { compilerOptions: { jsxFactory: 'require("/etc/passwd")' } }],
    ['outDir', { compilerOptions: { outDir: '../outside', sourceRoot: '../outside' } }],
    ['a prototype', JSON.parse('{ "__proto__": { "compilerOptions": { "baseUrl": "/etc" } } }')],
  ])('by %s', async (_what, config) => {
    for (const specifier of ['x', 'secret', 'passwd', './secret.js', 'x/../outside/secret.js']) {
      await expectNothing({
        'tsconfig.json': JSON.stringify(config),
        'view.tsx': 'export default () => <b />',
        'main.ts': `import "./view.tsx"; import v from ${JSON.stringify(specifier)}; export default () => v`,
      })
    }
  })

  it('by a JSX pragma in the file', async () => {
    for (const source of ['../outside', '/etc', '/proc/self', 'file:///etc']) {
      await expectFailure({
        'view.jsx': `/** @jsxRuntime automatic @jsxImportSource ${source} */ export default () => <b />`,
        'main.ts': fetchAs('./view.jsx'),
      })
    }
  })
})

describe('a source map reaches nothing outside', () => {
  const mapOf = (map: object) =>
    `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
  it.each<[string, object]>([
    ['sources by path', { version: 3, sources: ['../outside/secret.txt'], mappings: 'AAAA' }],
    [
      'sources by absolute path',
      { version: 3, sources: ['/etc/passwd'], names: [], mappings: 'AAAA' },
    ],
    ['sources by URL', { version: 3, sources: ['file:///etc/passwd'], mappings: 'AAAA' }],
    ['sourceRoot', { version: 3, sourceRoot: '/etc/', sources: ['passwd'], mappings: 'AAAA' }],
    [
      'content that is null',
      { version: 3, sources: ['/etc/passwd'], sourcesContent: [null], mappings: 'AAAA' },
    ],
    [
      'fewer contents than sources',
      { version: 3, sources: ['a', '/etc/passwd'], sourcesContent: ['a'], mappings: 'AAAA' },
    ],
    [
      'sections with a URL',
      { version: 3, sections: [{ offset: { line: 0, column: 0 }, url: '/etc/passwd' }] },
    ],
    [
      'sections with a map',
      {
        version: 3,
        sections: [
          {
            offset: { line: 0, column: 0 },
            map: { version: 3, sources: ['/etc/passwd'], mappings: 'AAAA' },
          },
        ],
      },
    ],
    [
      'mappings out of range',
      { version: 3, sources: ['x'], sourcesContent: ['y'], mappings: 'AAggggggB;;;;AACAAAAAAAA' },
    ],
  ])('by %s', async (_what, map) => {
    for (const name of ['main.ts', 'lib.js']) {
      const error = await expectNothing({
        'main.ts': 'import "./lib.js"; export default () => 1',
        'lib.js': '',
        [name]: `export default () => 1\n//# sourceMappingURL=${mapOf(map)}`,
      })
      expect(error).toBeUndefined()
    }
  })
})

describe('only regular files', () => {
  it.each(['', '/', '/.', '/../functions', '/sub'])(
    'a directory as the entry: functions%s',
    async (path) => {
      await mkdir(join(project, 'functions/sub'), { recursive: true })
      const compiling = openCompiler({ rootDir: project }).compileFile(`functions${path}`)
      await expect(compiling).rejects.toMatchObject({ code: 'IMPORT_REFUSED', rule: 'not-a-file' })
    },
  )

  it('a socket is not opened', async () => {
    execFileSync('python3', [
      '-c',
      'import socket,sys,os; os.chdir(sys.argv[1]); socket.socket(socket.AF_UNIX).bind("s.json")',
      join(project, 'functions'),
    ])
    expect((await expectFailure({ 'main.ts': fetchAs('./s.json') })).rule).toBe('not-a-file')
  })

  it('a file that says it is longer than its content, or that is just too long', async () => {
    await inRoot({ 'big.json': '1' })
    await truncate(join(project, 'functions/big.json'), 8 * 1024 * 1024)
    expect((await expectFailure({ 'main.ts': fetchAs('./big.json') })).code).toBe(
      'COMPILATION_ERROR',
    )
    await truncate(join(project, 'functions/big.json'), 8 * 1024 * 1024 + 1)
    expect((await expectFailure({ 'main.ts': fetchAs('./big.json') })).rule).toBe('file-size')
  })
})

describe('what an import costs is bounded', () => {
  /** Longest time for which the loop was held up while `work` ran, in milliseconds. */
  async function longestStall(work: Promise<unknown>): Promise<number> {
    let done = false
    let longest = 0
    const settled = work
      .catch(() => undefined)
      .then(() => {
        done = true
      })
    for (let last = performance.now(); !done; ) {
      await setImmediate()
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
    await settled
    return longest
  }

  it('import cycles', async () => {
    expect(
      (
        await seenBy({
          'main.ts': 'import b from "./b.js"; export default () => b()',
          'b.js':
            'import a from "./main.ts"; import self from "./b.js"; export default () => [typeof a, typeof self]',
        })
      ).error,
    ).toBeUndefined()
  })

  const doubled = (count: number, line: (n: number) => [string, unknown]) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => line(n)))
  const bombs: Record<string, () => Record<string, string>> = {
    'imports whose targets are lists of each other': () => ({
      'package.json': JSON.stringify({
        imports: doubled(60, (n) => [`#${n}`, [`#${n + 1}`, `#${n + 1}`, `#${n + 1}`]]),
      }),
      'main.ts': fetchAs('#0'),
    }),
    'exports that lead to the package itself': () => ({
      'package.json': JSON.stringify({
        name: 'me',
        exports: doubled(60, (n) => [`./${n}`, [`me/${n + 1}`, `me/${n + 1}`]]),
      }),
      'main.ts': fetchAs('me/0'),
    }),
    'a browser map in a circle of thousands': () => ({
      'package.json': JSON.stringify({
        browser: doubled(5000, (n) => [`./${n}.js`, `./${(n + 1) % 5000}.js`]),
      }),
      '0.js': '',
      'main.ts': fetchAs('./0.js'),
    }),
    'nested conditions': () => ({
      'package.json': `{"imports":{"#0":${'{"import":['.repeat(3000)}"./x.js"${']}'.repeat(3000)}}}`,
      'main.ts': fetchAs('#0'),
    }),
    'long lists of targets that are not there': () => ({
      'package.json': JSON.stringify({
        imports: { '#0': Array.from({ length: 50_000 }, (_, n) => `./none-${n}.js`) },
      }),
      'main.ts': fetchAs('#0'),
    }),
    'configurations that extend each other twice': () => ({
      ...(doubled(40, (n) => [
        n === 0 ? 'tsconfig.json' : `c${n}.json`,
        JSON.stringify({ extends: [`./c${n + 1}.json`, `./c${n + 1}.json`] }),
      ]) as Record<string, string>),
      'main.ts': 'export default 1',
    }),
    'patterns of side effects': () => ({
      'node_modules/e/package.json': JSON.stringify({
        sideEffects: Array.from({ length: 20_000 }, () => `${'*a'.repeat(12)}b`),
      }),
      [`node_modules/e/${'a'.repeat(200)}.js`]: 'export default 1',
      'main.ts': fetchAs(`e/${'a'.repeat(200)}.js`),
    }),
    'paths with a thousand stars': () => ({
      'tsconfig.json': JSON.stringify({
        compilerOptions: { paths: doubled(20_000, (n) => [`a${n}*`, ['./none/*']]) },
      }),
      'main.ts': fetchAs('a19999x'),
    }),
  }
  it.each(Object.keys(bombs))('%s', async (name) => {
    await inRoot(bombs[name]!())
    const compiler = openCompiler({ rootDir: project, compileTimeoutMs: 20_000 })
    const work = compiler.compileFile('functions/main.ts')
    const stall = await longestStall(work)
    // A real bomb never ends, or takes minutes; one unlucky turn of a busy machine does not take seconds.
    expect(stall).toBeLessThan(10_000)
    await work.catch((error: unknown) => expect(error).toBeInstanceOf(CompileError))
  })

  it('a package.json longer than 1 MiB, and a tsconfig.json', async () => {
    const long = JSON.stringify({ x: 'x'.repeat(1024 * 1024) })
    const files = { 'node_modules/e/package.json': long, 'node_modules/e/index.js': '' }
    expect((await expectFailure({ ...files, 'main.ts': fetchAs('e') })).rule).toBe('file-size')
    expect((await expectFailure({ 'tsconfig.json': long, 'main.ts': '' })).rule).toBe('file-size')
  })

  it('a build of thousands of files lets other work have its turn, and ends with its time', async () => {
    const count = 5000
    await inRoot({
      ...Object.fromEntries(
        Array.from({ length: count }, (_, n) => [`f${n}.js`, `export const v = ${n}`]),
      ),
      'main.ts': `${Array.from({ length: count }, (_, n) => `import { v as v${n} } from './f${n}.js'`).join('\n')}\nexport default () => v0 + v${count - 1}`,
    })
    const compiler = openCompiler({ rootDir: project, compileTimeoutMs: 60_000, offloadLength: 0 })
    let turns = 0
    let done = false
    const counting = (async () => {
      while (!done) {
        await setImmediate()
        turns++
      }
    })()
    const { bytecode } = await compiler.compileFile('functions/main.ts')
    done = true
    await counting
    expect(turns).toBeGreaterThan(20)
    expect(await runHandler(bytecode, null)).toBe(count - 1)
    const short = openCompiler({ rootDir: project, compileTimeoutMs: 20 })
    await expect(short.compileFile('functions/main.ts')).rejects.toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: expect.stringContaining('compileTimeoutMs'),
    })
  })
})
