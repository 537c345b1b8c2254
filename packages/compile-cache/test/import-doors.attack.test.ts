import { link, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CompileError } from '@nexus/compile-cache'
import { expect, it, onTestFinished } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { writeProject } from './temporary-project.js'

/** In every file that a handler must not read. */
const CANARY = 'CANARY-7d10c3'
/** What a file of the import root exports, to see that a door opens at all. */
const INSIDE = 'INSIDE-52ab'

/** What lies beside each import root, and in it. */
const outside = {
  'outside/secret.js': `export default "${CANARY}"; export const jsx = () => "${CANARY}", jsxs = jsx, Fragment = 0`,
  'outside/secret.json': `{ "extends": "${CANARY}", "canary": "${CANARY}", "compilerOptions": { "jsxFactory": "${CANARY}" } }`,
  'outside/package.json': `{ "name": "outside", "main": "./secret.js", "exports": "./secret.js" }`,
  'outside/index.js': `export default "${CANARY}"`,
  'outside/jsx-runtime.js': `export const jsx = () => "${CANARY}", jsxs = jsx, Fragment = 0`,
  'Outside/secret.js': `export default "${CANARY}"`,
  'node_modules/.hidden/index.js': `export default "${CANARY}"`,
  'node_modules/pkg/package.json': '{ "name": "pkg", "main": "./main.js" }',
  'node_modules/pkg/main.js': 'export default "pkg"',
  'node_modules/pkg/.secret.js': `export default "${CANARY}"`,
}
const inside = {
  'inside.js': `export default "${INSIDE}"; export const jsx = () => "${INSIDE}", jsxs = jsx, Fragment = 0`,
  'inside.json': '{ "compilerOptions": {} }',
  '.hidden.js': `export default "${CANARY}"`,
  'nexus.yaml': CANARY,
  'NEXUS.YML': CANARY,
}

/** Ways to write something that lies outside, or that is private. `{project}` is the directory around the roots. */
const SPELLINGS = [
  '../outside/secret.js',
  './../outside/secret.js',
  './/..//outside//secret.js',
  './x/../../outside/secret.js',
  '../OUTSIDE/secret.js',
  '../outside/./secret.js',
  '../outside/secret.js/',
  '../outside/secret.js/.',
  '../outside/secret',
  '../outside',
  '../outside/',
  '..',
  '../',
  './..',
  '.\\..\\outside\\secret.js',
  '..\\outside\\secret.js',
  '..\\/outside/secret.js',
  './..%2foutside%2fsecret.js',
  './%2e%2e/outside/secret.js',
  './%2E%2E/outside/secret.js',
  './%252e%252e/outside/secret.js',
  './.%2e/outside/secret.js',
  '%2e%2e/outside/secret.js',
  '../outside/secret.js%00',
  '../outside/secret.js\0',
  './inside.js\0/../../outside/secret.js',
  '../outside/secret.js?raw',
  '../outside/secret.js#x',
  '../outside/secret.json',
  './.hidden.js',
  './.HIDDEN.js',
  './nexus.yaml',
  './Nexus.YAML',
  './NEXUS.YML',
  './inside.js/../.hidden.js',
  './inside.js/../../outside/secret.js',
  './out.js',
  './out/secret.js',
  './hard/../out/secret.js',
  'pkg/.secret.js',
  'pkg/../../outside/secret.js',
  'pkg/..\\..\\outside\\secret.js',
  'pkg/%2e%2e/%2e%2e/outside/secret.js',
  '.hidden',
  '../node_modules/.hidden',
  '{project}/outside/secret.js',
  '/{project}/outside/secret.js',
  '{project}/./outside/secret.js',
  '{url}',
  'FILE://{project}/outside/secret.js',
  'file:{project}/outside/secret.js',
  'file://localhost{project}/outside/secret.js',
  'file://evil.example{project}/outside/secret.js',
  'file:../outside/secret.js',
  'file:///..%2f{project}/outside/secret.js',
  '{url}?x#y',
  'data:text/javascript,export%20*%20from%20"{project}/outside/secret.js"',
  'data:text/javascript,export%20*%20from%20"../outside/secret.js"',
  'data:application/json;base64,../outside/secret.json',
  'node:fs',
  'https://example.invalid/secret.js',
  '//localhost{project}/outside/secret.js',
  '\\\\localhost\\outside\\secret.js',
  '/proc/self/environ',
  '/proc/self/cwd/package.json',
  '/dev/stdin',
]

type Door = (target: string) => Record<string, string>
const json = JSON.stringify
const code = (statement: string): Record<string, string> => ({ 'main.ts': statement })
const use = (specifier: string) => `import * as v from ${json(specifier)}; export default () => v`
const jsx = (options: object): Record<string, string> => ({
  'tsconfig.json': json({ compilerOptions: { jsx: 'react-jsx', ...options } }),
  'main.tsx': 'export default () => <p/>',
  'main.ts': 'export { default } from "./main.tsx"',
})
const packaged = (manifest: object): Record<string, string> => ({
  'node_modules/evil/package.json': json({ name: 'evil', ...manifest }),
  'node_modules/evil/m.js': 'export * from "#x"',
  'node_modules/evil/ok.js': 'export default 1',
  'main.ts': use('evil'),
})
const sourceMap = (url: string) =>
  code(`export default () => { throw 1 }\n//# sourceMappingURL=${url}`)

/** Everything that leads a build to a file, given a text that the author of the handler chooses. */
const DOORS: Record<string, Door> = {
  import: (target) => code(use(target)),
  'import of text': (target) =>
    code(`import v from ${json(target)} with { type: 'text' }; export default () => v`),
  'import of bytes': (target) =>
    code(`import v from ${json(target)} with { type: 'bytes' }; export default () => v`),
  'import of JSON': (target) =>
    code(`import v from ${json(target)} with { type: 'json' }; export default () => v`),
  'dynamic import': (target) => code(`export default () => import(${json(target)})`),
  require: (target) => code(`export default () => require(${json(target)})`),
  'require.resolve': (target) => code(`export default () => require.resolve(${json(target)})`),
  'export from': (target) => code(`export * from ${json(target)}; export default 1`),
  'import of CSS': (target) => ({
    'a.css': `@import ${json(target)}; a { background: url(${json(target)}) }`,
    ...code('import "./a.css"; export default 1'),
  }),
  'new URL': (target) => code(`export default () => new URL(${json(target)}, import.meta.url)`),
  'source map comment': sourceMap,
  'source map comment of a dependency': (target) => ({
    'node_modules/evil/index.js': `export default 1\n//# sourceMappingURL=${target}`,
    'main.ts': use('evil'),
  }),
  'sources of an inline source map': (target) =>
    sourceMap(
      `data:application/json,${encodeURIComponent(json({ version: 3, sources: [target], sourceRoot: target, mappings: 'AAAA', file: target }))}`,
    ),
  'sections of a source map': (target) =>
    sourceMap(
      `data:application/json,${encodeURIComponent(json({ version: 3, sections: [{ offset: { line: 0, column: 0 }, url: target, map: { version: 3, sources: [target], mappings: 'AAAA' } }] }))}`,
    ),
  'extends of tsconfig.json': (target) => ({
    'tsconfig.json': json({ extends: target }),
    ...jsxMain,
  }),
  'a list in extends of tsconfig.json': (target) => ({
    'tsconfig.json': json({ extends: ['./inside.json', target, './inside.json'] }),
    ...jsxMain,
  }),
  'extends of a package': (target) => ({
    'tsconfig.json': json({ extends: 'evil' }),
    'node_modules/evil/package.json': json({ name: 'evil', tsconfig: target, main: target }),
    'node_modules/evil/tsconfig.json': json({ extends: target }),
    ...jsxMain,
  }),
  'paths of tsconfig.json': (target) => ({
    'tsconfig.json': json({ compilerOptions: { paths: { '@x': [target] } } }),
    ...code(use('@x')),
  }),
  'a pattern of paths': (target) => ({
    'tsconfig.json': json({
      compilerOptions: { paths: { 'x*y': [target.replace('secret', '*')] } },
    }),
    ...code(use('xsecrety')),
  }),
  'what a star of paths stands for': (target) => ({
    'tsconfig.json': json({ compilerOptions: { paths: { 'x*': ['./*'] } } }),
    ...code(use(`x${target}`)),
  }),
  baseUrl: (target) => ({
    'tsconfig.json': json({ compilerOptions: { baseUrl: target.replace(/secret.*/, '') } }),
    ...code(use('secret.js')),
  }),
  'rootDirs and other paths of tsconfig.json': (target) => ({
    'tsconfig.json': json({
      files: [target],
      include: [target],
      references: [{ path: target }],
      compilerOptions: {
        rootDirs: ['.', target],
        rootDir: target,
        typeRoots: [target],
        types: [target],
        mapRoot: target,
        sourceRoot: target,
        plugins: [{ name: target }],
      },
    }),
    ...code(use('./secret.js')),
  }),
  jsxImportSource: (target) => jsx({ jsxImportSource: target.replace(/\/secret\.js.*/, '') }),
  'whole jsxImportSource': (target) => jsx({ jsxImportSource: target }),
  'a pragma of JSX': (target) => ({
    'main.tsx': `/** @jsxRuntime automatic @jsxImportSource ${target.replace(/\/secret\.js.*/, '')} */\nexport default () => <p/>`,
    ...code('export { default } from "./main.tsx"'),
  }),
  main: (target) => packaged({ main: target }),
  module: (target) => packaged({ module: target, main: './ok.js' }),
  browser: (target) => packaged({ browser: target, main: './ok.js' }),
  'a browser map': (target) => packaged({ main: './ok.js', browser: { './ok.js': target } }),
  'a browser map from a target': (target) =>
    packaged({ main: './ok.js', browser: { [target]: './ok.js', './ok.js': target } }),
  exports: (target) => packaged({ exports: target }),
  'conditions of exports': (target) =>
    packaged({ exports: { '.': { node: null, import: { browser: target, default: target } } } }),
  'a list of exports': (target) => packaged({ exports: { '.': [null, target, './none.js'] } }),
  'a pattern of exports': (target) => ({
    ...packaged({ exports: { './*': target.replace('secret', '*') } }),
    ...code(use('evil/secret')),
  }),
  'what a star of exports stands for': (target) => ({
    ...packaged({ exports: { './*': './*' } }),
    ...code(use(`evil/${target}`)),
  }),
  'a directory of exports': (target) => ({
    ...packaged({ exports: { './d/': target.replace(/secret.*/, '') } }),
    ...code(use('evil/d/secret.js')),
  }),
  'imports of a package': (target) => packaged({ main: './m.js', imports: { '#x': target } }),
  'imports of the root': (target) => ({
    'package.json': json({ name: 'me', imports: { '#x': { default: [target] } } }),
    ...code(use('#x')),
  }),
  'a self-reference': (target) => ({
    'package.json': json({ name: 'me', exports: { './x': target } }),
    ...code(use('me/x')),
  }),
  'the name of a package': (target) => ({
    'package.json': json({ name: target, exports: { '.': './inside.js' } }),
    ...code(use(target)),
  }),
  sideEffects: (target) => packaged({ main: './ok.js', sideEffects: [target, `${target}/**`] }),
  'typesVersions, types and bin': (target) =>
    packaged({
      main: './ok.js',
      types: target,
      bin: target,
      typesVersions: { '*': { '*': [target] } },
    }),
}
const jsxMain = {
  'main.tsx': 'export default () => <p/>',
  'main.ts': 'export { default } from "./main.tsx"',
}

/** The doors that a file inside the root opens, to see that the door is one. */
const OPEN: Record<string, string> = {
  import: './inside.js',
  'import of text': './inside.js',
  'dynamic import': './inside.js',
  require: './inside.js',
  'export from': './inside.js',
  'paths of tsconfig.json': './inside.js',
  'imports of the root': './inside.js',
  'a self-reference': './inside.js',
}

async function openProject(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'nexus-doors-'))
  onTestFinished(() => rm(project, { recursive: true, force: true }))
  await writeProject(project, outside)
  return project
}

/** What an author sees of a build: the error, or all that came out of it. */
async function seenThrough(project: string, root: string, files: Record<string, string>) {
  await writeProject(join(project, root), { ...inside, ...files })
  await symlink('../outside/secret.js', join(project, root, 'out.js'))
  await symlink('../outside', join(project, root, 'out'))
  await link(join(project, root, 'nexus.yaml'), join(project, root, 'hard.txt'))
  const compiler = openCompiler({ rootDir: project, offloadLength: 1e9 })
  try {
    const { bytecode, sourceMap, inputs } = await compiler.compileFile(`${root}/main.ts`)
    return { error: undefined, seen: Buffer.from(bytecode).toString('latin1') + sourceMap, inputs }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return { error, seen: error.message + JSON.stringify(error.location ?? {}), inputs: [] }
  }
}

it.each(Object.keys(DOORS))('no spelling of a file outside gets through: %s', async (name) => {
  const project = await openProject()
  const url = pathToFileURL(join(project, 'outside/secret.js')).href
  await Promise.all(
    SPELLINGS.map(async (spelling, n) => {
      const target = spelling.replace('{project}', project).replace('{url}', url)
      const root = `r${n}`
      const { error, seen, inputs } = await seenThrough(project, root, DOORS[name]!(target))
      const what = `${name}: ${spelling}`
      expect(seen, what).not.toContain(CANARY)
      expect(seen, what).not.toContain('PATH=')
      for (const input of inputs ?? []) {
        const allowed = [join(project, root), join(project, 'node_modules/pkg')]
        expect(
          allowed.some((directory) => input.startsWith(directory)),
          `${what}: ${input}`,
        ).toBe(true)
      }
      if (error) {
        expect(['COMPILATION_ERROR', 'IMPORT_REFUSED', 'RESOURCE_LIMIT'], what).toContain(
          error.code,
        )
        expect(error.message, what).not.toContain('INTERNAL_ERROR')
      }
    }),
  )
})

it.each(Object.entries(OPEN))('a file inside gets through: %s', async (name, target) => {
  const project = await openProject()
  const { error, seen } = await seenThrough(project, 'r', DOORS[name]!(target))
  expect(error).toBeUndefined()
  expect(seen).toContain(INSIDE)
})

it('a byte order mark changes nothing of package.json, tsconfig.json and JSON', async () => {
  const project = await openProject()
  const bom = '\ufeff'
  const { error, seen } = await seenThrough(project, 'r', {
    'package.json': `${bom}${json({ imports: { '#x': './inside.js' } })}`,
    'tsconfig.json': `${bom}${json({ compilerOptions: { paths: { '@x': ['./inside.js'] } } })}`,
    'data.json': `${bom}{ "text": "${INSIDE}-json" }`,
    'main.ts':
      'import a from "#x"; import b from "@x"; import c from "./data.json"; export default () => [a, b, c]',
  })
  expect(error).toBeUndefined()
  expect(seen).toContain(`${INSIDE}-json`)
})
