import { basename, dirname, join, relative, resolve } from 'node:path'
import stripJsonComments from 'strip-json-comments'
import { isWithin } from './files/path-parts.js'
import type { ImportGate, ImportSource, Located } from './import-gate.js'
import { ImportRefusal } from './import-refusal.js'
import { hasTooManyTokens, textOf, tooManyTokens } from './json-size.js'

const NAMES = ['tsconfig.json', 'jsconfig.json']

/** Most configurations that one is made of; lists of `extends` whose files extend each other would have no end. */
const MAX_CONFIGS = 64

/** Options that change what esbuild makes of a file. */
const OPTIONS = [
  'alwaysStrict',
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'strict',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
] as const

/** `paths` of a configuration, and what they are relative to. */
interface PathAliases {
  directory: string
  patterns: [pattern: string, targets: string[]][]
}

/** Finds the configuration that one names in `extends`. */
export type FindParent = (specifier: string, from: ImportSource) => Promise<Located | undefined>

/** What the TypeScript configuration above an entry says about its bundle. */
export class TypeScriptConfig {
  /** For esbuild, which then reads no configuration by itself. */
  readonly compilerOptions: Record<string, unknown> = {}
  #baseUrl: string | undefined
  #paths: PathAliases | undefined
  #count = 0

  /**
   * The configuration nearest above `entry`, up to the import root, with what it extends.
   *
   * @throws ImportRefusal when it extends a file that may not be read
   */
  static async read(
    gate: ImportGate,
    entry: string,
    findParent: FindParent,
  ): Promise<TypeScriptConfig> {
    const config = new TypeScriptConfig()
    const located = await telling({ by: basename(entry), path: 'tsconfig.json' }, async () =>
      nearest(gate, dirname(entry)),
    )
    if (located) await config.#add(gate, located, findParent)
    return config
  }

  /** The paths that `specifier` may stand for, the first one that exists is meant. Each is made when it is asked for. */
  *aliasesOf(specifier: string): Generator<string> {
    if (this.#paths) yield* this.#matches(specifier, this.#paths)
    if (this.#baseUrl !== undefined) yield resolve(this.#baseUrl, specifier)
  }

  *#matches(specifier: string, { directory, patterns }: PathAliases): Generator<string> {
    // An exact name wins, then the longest text before the `*`, as in TypeScript.
    let best: { prefixLength: number; star?: string; targets: string[] } | undefined
    for (const [pattern, targets] of patterns) {
      const at = pattern.indexOf('*')
      if (at < 0) {
        if (pattern !== specifier) continue
        best = { prefixLength: at, targets }
        break
      }
      const suffix = pattern.slice(at + 1)
      const fits =
        specifier.length >= pattern.length - 1 &&
        specifier.startsWith(pattern.slice(0, at)) &&
        specifier.endsWith(suffix)
      if (fits && at > (best?.prefixLength ?? -1)) {
        const star = specifier.slice(at, specifier.length - suffix.length)
        best = { prefixLength: at, star, targets }
      }
    }
    const { star, targets = [] } = best ?? {}
    for (const target of targets) {
      yield resolve(directory, star === undefined ? target : target.replace('*', () => star))
    }
  }

  /** What a configuration says wins over what it extends. */
  async #add(gate: ImportGate, located: Located, findParent: FindParent): Promise<void> {
    if (++this.#count > MAX_CONFIGS) {
      throw new ImportRefusal('resolve-steps', `expected at most ${MAX_CONFIGS} configurations`)
    }
    const config = parse(gate.readManifest(located))
    const from = { directory: dirname(located.path), zone: located.zone }
    const parents = [config.extends].flat().filter((parent) => typeof parent === 'string')
    for (const parent of parents) {
      const name = relative(gate.root.directory, located.path)
      const found = await telling({ by: name, path: parent }, () => findParent(parent, from))
      if (found) await this.#add(gate, found, findParent)
    }
    const options = recordOf(config.compilerOptions)
    for (const name of OPTIONS) if (name in options) this.compilerOptions[name] = options[name]
    if (typeof options.baseUrl === 'string')
      this.#baseUrl = resolve(from.directory, options.baseUrl)
    if (options.paths !== undefined) {
      const directory = typeof options.baseUrl === 'string' ? this.#baseUrl! : from.directory
      this.#paths = { directory, patterns: patternsOf(options.paths) }
    }
  }
}

/** A refusal says what asked for the file. */
async function telling<T>(
  asked: NonNullable<ImportRefusal['asked']>,
  find: () => Promise<T>,
): Promise<T> {
  try {
    return await find()
  } catch (error) {
    if (error instanceof ImportRefusal) error.asked ??= asked
    throw error
  }
}

function nearest(gate: ImportGate, start: string): Located | undefined {
  const from = { directory: gate.root.directory, zone: gate.root }
  for (let at = start; isWithin(gate.root.directory, at); at = dirname(at)) {
    for (const name of NAMES) {
      const located = gate.locate(join(at, name), from)
      if (located?.kind === 'file') return located
    }
    if (at === gate.root.directory) break
  }
  return undefined
}

/** Without a word of its text in an error: what is no configuration says nothing. */
function parse(content: Buffer): Record<string, unknown> {
  const json = stripJsonComments(textOf(content), { trailingCommas: true })
  if (hasTooManyTokens(json)) throw tooManyTokens()
  try {
    return recordOf(JSON.parse(json))
  } catch {
    return {}
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function patternsOf(paths: unknown): [string, string[]][] {
  return Object.entries(recordOf(paths)).flatMap(([pattern, targets]): [string, string[]][] =>
    Array.isArray(targets)
      ? [[pattern, targets.filter((target) => typeof target === 'string')]]
      : [],
  )
}
