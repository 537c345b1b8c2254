import { CompileError } from '@nexus/compile-cache'
import { expect, it } from 'vitest'
import { openCompiler, sourceOfLength } from './open-compiler.js'
import { temporaryProject } from './temporary-project.js'

async function errorOf(work: Promise<unknown>): Promise<CompileError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(CompileError)
  return error as CompileError
}

it('a syntax error tells file, line, column and shows the line with a caret', async () => {
  const error = await errorOf(
    openCompiler().compile('export default 1\nlet x = ;\n', { filename: 'functions/a.js' }),
  )
  expect(error.code).toBe('COMPILATION_ERROR')
  expect(error.location).toEqual({
    file: 'functions/a.js',
    line: 2,
    column: 9,
    lineText: 'let x = ;',
  })
  expect(error.message).toBe(
    [
      "functions/a.js:2:9: unexpected token in expression: ';'",
      '',
      '  2 | let x = ;',
      '    |         ^',
    ].join('\n'),
  )
})

it.each([
  ['characters of several bytes before it', 'let é = "😀", x = ;', 1, 19],
  ['Windows line ends', 'let a = 1\r\nlet b = ;\r\n', 2, 9],
  ['tabs', '\tlet b = ;', 1, 10],
  ['Unicode line separators', '"\u2028"; let b = ;\nlet c', 1, 14],
  ['the end of the file', 'export default function () {\n', 2, 1],
  ['an invalid regular expression', 'let a = 1\nlet r = /[z-a]/\nlet b', 2, 15],
  ['wrong regular expression flags', 'let r = /a/gg', 1, 13],
  ['an exported name that is not declared', 'let b = 1\nexport { b,\n  nope }', 3, 3],
  ['a private field that is not declared', 'class A {\n  f() { return this.#q } }', 2, 21],
  ['an import that is not bundled', 'import fs from "x"\nexport default fs', 1, 16],
])('the place is right with %s', async (_what, source, line, column) => {
  const { location } = await errorOf(openCompiler().compile(source))
  expect(location).toMatchObject({ line, column })
})

it('an unresolved import names the specifier and what to do', async () => {
  const { message } = await errorOf(
    openCompiler().compile('import { z } from "zod"\nexport default z'),
  )
  expect(message).toContain('Cannot find module "zod"')
  expect(message).toContain('compileFile')
})

it('a type error of syntax in TypeScript is told the same way', async () => {
  const error = await errorOf(
    openCompiler().compile('export default 1\nlet é: = 2', { filename: 'a.ts' }),
  )
  expect(error.location).toEqual({ file: 'a.ts', line: 2, column: 8, lineText: 'let é: = 2' })
  expect(error.message).toContain('a.ts:2:8: Unexpected "="\n\n  2 | let é: = 2\n    |        ^')
})

it('what esbuild takes and the engine does not is told at its place in the original file', async () => {
  const rootDir = await temporaryProject({
    'main.ts': 'import { match } from "./lib"\nexport default (a: string) => match(a)',
    'lib.ts':
      'type Text = string\n// A comment\nexport const match = (a: Text) => /[z-a]/.test(a)\n',
  })
  const error = await errorOf(openCompiler({ rootDir }).compileFile('main.ts'))
  expect(error.location).toMatchObject({ file: 'lib.ts', line: 3 })
  expect(error.location?.lineText).toContain('/[z-a]/')
})

it('a syntax error in an imported file names that file', async () => {
  const rootDir = await temporaryProject({
    'functions/main.ts': 'import "../shared/broken"',
    'shared/broken.ts': '\n\nconst a: number = (',
  })
  const error = await errorOf(
    openCompiler({ rootDir }).compileFile('functions/main.ts', { root: '.' }),
  )
  expect(error.location).toMatchObject({ file: 'shared/broken.ts', line: 3 })
  expect(error.message).not.toContain(rootDir)
})

it('several errors are all told', async () => {
  const rootDir = await temporaryProject({
    'main.ts': 'import "./a"\nimport "./b"',
  })
  const { message } = await errorOf(openCompiler({ rootDir }).compileFile('main.ts'))
  expect(message).toContain('main.ts:1:8: Could not resolve "./a"')
  expect(message).toContain('main.ts:2:8: Could not resolve "./b"')
})

it('an error in a source long enough for the worker thread has its place too', async () => {
  const source = `${sourceOfLength(100_000)}\nlet x = ;`
  const error = await errorOf(openCompiler().compile(source))
  expect(error.location).toMatchObject({ line: source.split('\n').length, column: 9 })
})

it('a long line is shown around the fault', async () => {
  const source = `export default 1;${'let a;'.replace('a', 'abc')}${'x();'.repeat(500)}let y = ;`
  const { message } = await errorOf(openCompiler().compile(source))
  const [, , shown, caret] = message.split('\n')
  expect(shown!.length).toBeLessThan(140)
  expect(shown![caret!.indexOf('^')]).toBe(';')
})

it('a failed compile is not kept', async () => {
  const compiler = openCompiler()
  await errorOf(compiler.compile('let x = ;'))
  await errorOf(compiler.compile('let x = ;'))
  expect(compiler.getStats()).toMatchObject({ failures: 2, memory: { entries: 0 } })
})
