import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const repository = join(import.meta.dirname, '../../../..')

/** A fenced block of a document. */
export interface Block {
  /** The document and the line of the fence, such as `README.md:23`. */
  place: string
  document: string
  /** Directory from which the block imports: that of the document's package, or of the runtime. */
  directory: string
  language: string
  text: string
  /** Why it is not run: `<!-- not run: reason -->` before it, or `<!-- not checked: reason -->`. */
  notRun: string | undefined
  /** Why its types and imports are not checked either: `<!-- not checked: reason -->` before it. */
  notChecked: string | undefined
  /** Code that stands before it in its program: `<!-- with: code -->` before it. */
  setup: string
  /** What it prints: the block without a language behind it, unless that is marked `<!-- sample -->`. */
  output: string | undefined
}

const fence = /((?:<!--[\s\S]*?-->\s*\n)*)^```([\w-]*)\n([\s\S]*?)^```$/gm
const outputFence = /\n+```\n([\s\S]*?)^```$/my

/** The blocks of every document with something that a reader may copy. */
export function allBlocks(): Block[] {
  return ['README.md', ...guides(), ...readmes()].flatMap((document) =>
    blocksOf(document, readFileSync(join(repository, document), 'utf8')),
  )
}

function guides(): string[] {
  const names = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'))
  return names.sort().map((name) => `docs/${name}`)
}

function readmes(): string[] {
  return ['packages', 'apps', 'examples']
    .flatMap((folder) =>
      readdirSync(join(repository, folder))
        .sort()
        .map((name) => `${folder}/${name}/README.md`),
    )
    .filter((path) => existsSync(join(repository, path)))
}

/** The blocks of one document. */
export function blocksOf(document: string, source: string): Block[] {
  return [...source.matchAll(fence)].map((match) => {
    const [whole, comments = '', language = '', text = ''] = match
    const start = match.index + whole.indexOf('```')
    const line = source.slice(0, start).split('\n').length
    outputFence.lastIndex = match.index + whole.length
    return {
      place: `${document}:${line}`,
      document,
      directory: directoryOf(document),
      language,
      text,
      notRun: /<!-- not (?:run|checked): ([\s\S]*?) -->/.exec(comments)?.[1],
      notChecked: /<!-- not checked: ([\s\S]*?) -->/.exec(comments)?.[1],
      setup: /<!-- with:\s([\s\S]*?)-->/.exec(comments)?.[1] ?? '',
      output: outputFence.exec(source)?.[1],
    }
  })
}

function directoryOf(document: string): string {
  const own = dirname(join(repository, document))
  const isPackage = own !== repository && existsSync(join(own, 'package.json'))
  return relative(repository, isPackage ? own : join(repository, 'apps/runtime'))
}

/** A name of a block in a list of tests. */
export const named = (blocks: readonly Block[]): [string, Block][] =>
  blocks.map((block) => [block.place, block])
