import { join } from 'node:path'
import ts from 'typescript'
import { type Block, repository } from './blocks.js'

/** What a block without types may still be told: that an import or a name of one does not exist. */
const importProblems = new Set([2305, 2307, 2614, 2724])

/** The mistakes of each block, by its place. One program checks all of them, each as a module of its package. */
export function mistakesOf(blocks: readonly Block[]): Map<string, string[]> {
  const files = new Map(
    blocks.map((block, n) => {
      const ending = block.language === 'js' ? 'mjs' : 'mts'
      const path = join(repository, block.directory, `document-block-${n}.${ending}`)
      return [path, block] as const
    }),
  )
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@nexus/source'],
    types: ['node'],
    typeRoots: [join(repository, 'node_modules/@types')],
    strict: true,
    skipLibCheck: true,
    allowJs: true,
    checkJs: true,
    resolveJsonModule: true,
    noEmit: true,
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  const textOf = ({ setup, text }: Block) => `${setup}${text}\nexport {}\n`
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => (files.has(path) ? textOf(files.get(path)!) : readFile(path))
  const program = ts.createProgram([...files.keys()], options, host)
  return new Map(
    [...files].map(([path, block]) => {
      const file = program.getSourceFile(path)!
      const syntax = program.getSyntacticDiagnostics(file)
      const semantic = program
        .getSemanticDiagnostics(file)
        .filter(({ code }) => block.language === 'ts' || importProblems.has(code))
      return [block.place, [...syntax, ...semantic].map((found) => textOfMistake(found))]
    }),
  )
}

function textOfMistake({ messageText, file, start = 0 }: ts.Diagnostic): string {
  const line = file?.text.slice(start).split('\n')[0] ?? ''
  return `${ts.flattenDiagnosticMessageText(messageText, '\n')} at: ${line}`
}
