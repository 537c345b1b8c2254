import { builtinModules } from 'node:module'
import { dirname } from 'node:path'
import type { OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild'
import pLimit from 'p-limit'
import type { SourceLocation } from '../errors.js'
import type { ImportGate, ImportSource, Located } from '../import-gate/import-gate.js'
import { ImportRefusal } from '../import-gate/import-refusal.js'
import { ModuleResolver } from '../import-gate/module-resolver.js'
import { nameOf } from '../import-gate/real-path.js'
import { inlineSourceMap } from '../import-gate/source-map-comment.js'
import { TypeScriptConfig } from '../import-gate/typescript-config.js'
import { codeOf } from '../thrown-reason.js'
import { untilTurn } from '../turns.js'
import { markComputedImports } from './computed-imports.js'
import { ImportGraph } from './import-graph.js'
import { loaderOf, moduleOfDataUrl, type SourceModule } from './source-module.js'

/** esbuild reads files of the namespace `file` by itself, and nothing of any other. */
export const NAMESPACE = 'source'

const DISABLED_NAMESPACE = 'disabled'

/** What the plugin says of an import that failed, beside the message. */
export interface ImportFailure {
  refusal?: ImportRefusal | undefined
  /** The specifier of a Node built-in. */
  builtin?: string | undefined
}

/** How one build is set up. */
export interface GatedBuildSettings {
  gate: ImportGate
  /** Absolute path of the entry, without symbolic links. */
  entry: string
  /** Directory that names are relative to. */
  rootDir: string
  /** Imports of a computed name, at the places of their arguments. */
  computedImports: readonly SourceLocation[]
  /** Ends the build: from then on no question of esbuild is worth an answer. */
  signal: AbortSignal
}

/** One build whose every file goes through the gate. */
export class GatedBuild {
  /** What the TypeScript configuration above the entry says. */
  config = new TypeScriptConfig()
  /** Which module of the bundle imports which. */
  readonly graph = new ImportGraph()
  readonly #settings: GatedBuildSettings
  readonly #resolver: ModuleResolver
  readonly #modules = new Map<string, SourceModule>()
  readonly #inputs = new Set<string>()
  readonly #oneByOne = pLimit(1)

  /**
   * Reads what a build needs to know before it starts.
   *
   * @throws ImportRefusal when the TypeScript configuration extends what may not be read
   */
  static async open(settings: GatedBuildSettings): Promise<GatedBuild> {
    const build = new GatedBuild(settings)
    const { gate, entry } = settings
    await untilTurn()
    build.config = await TypeScriptConfig.read(gate, entry, (specifier, from) =>
      build.#whenWanted(() => build.#parentConfig(specifier, from)),
    )
    return build
  }

  private constructor(settings: GatedBuildSettings) {
    this.#settings = settings
    this.#resolver = new ModuleResolver(settings.gate)
  }

  /** The files that the bundle is made of: absolute paths, sorted. */
  get inputs(): string[] {
    return [...this.#inputs].sort()
  }

  /** Answers every question of esbuild about files, so that it asks the file system none. */
  get plugin(): Plugin {
    return {
      name: 'import-gate',
      setup: (build) => {
        build.onResolve({ filter: /.*/ }, (args) => this.#inTurn(() => this.#resolve(args)))
        build.onLoad({ filter: /.*/, namespace: DISABLED_NAMESPACE }, () => ({
          contents: 'module.exports = {}',
        }))
        build.onLoad({ filter: /.*/ }, (args) => this.#inTurn(() => this.#load(args)))
      },
    }
  }

  /** esbuild asks thousands of questions at once; they must not hold up the thread together. */
  #inTurn<T extends OnLoadResult | OnResolveResult>(work: () => T): Promise<T> {
    return this.#oneByOne(() => answer(() => this.#whenWanted(work)))
  }

  /** Does a piece of work in a turn of its own, unless the build was ended meanwhile. */
  async #whenWanted<T>(work: () => T): Promise<T> {
    if (!this.#settings.signal.aborted) await untilTurn()
    if (this.#settings.signal.aborted) throw new BuildEnded()
    return work()
  }

  #resolve(args: OnResolveArgs): OnResolveResult {
    const { path: specifier, importer, kind } = args
    const module = kind === 'entry-point' ? this.#entry() : this.#find(args)
    if (module === 'disabled') return { path: specifier, namespace: DISABLED_NAMESPACE }
    if (!module) {
      this.graph.add(importer, specifier)
      const builtin = isBuiltin(specifier) ? specifier : undefined
      const detail: ImportFailure = { builtin }
      return { errors: [{ text: `Could not resolve ${describe(specifier)}`, detail }] }
    }
    this.#modules.set(module.name, module)
    if (kind === 'entry-point') this.graph.entry = module.name
    else this.graph.add(importer, module.name)
    return { path: module.name, namespace: NAMESPACE, sideEffects: module.sideEffects ?? true }
  }

  #entry(): SourceModule & { sideEffects?: boolean } {
    const { gate, entry, rootDir } = this.#settings
    return { name: nameOf(rootDir, entry), located: { kind: 'file', path: entry, zone: gate.root } }
  }

  #find({
    path: specifier,
    importer,
    kind,
  }: OnResolveArgs): (SourceModule & { sideEffects?: boolean }) | 'disabled' | undefined {
    if (specifier.startsWith('data:')) return moduleOfDataUrl(specifier)
    const from = this.#sourceOf(importer)
    const style = kind === 'require-call' || kind === 'require-resolve' ? 'require' : 'import'
    const found = this.#resolver.resolve(specifier, from, style, this.config)
    if (!found) return undefined
    const { located } = found
    if (located === 'disabled') return 'disabled'
    if (located.kind !== 'file') throw new ImportRefusal('not-a-file')
    const { sideEffects } = found as { sideEffects: boolean }
    return { name: nameOf(this.#settings.rootDir, located.path), located, sideEffects }
  }

  #sourceOf(importer: string): ImportSource {
    const located = this.#modules.get(importer)?.located
    // A data: URL lies nowhere, and so has nothing beside it.
    if (!located) throw new ImportRefusal('outside')
    return { directory: dirname(located.path), zone: located.zone }
  }

  #load({ path, namespace, with: attributes }: OnLoadArgs): OnLoadResult {
    const module = namespace === NAMESPACE ? this.#modules.get(path) : undefined
    if (!module) throw new ImportRefusal('specifier')
    const { gate } = this.#settings
    const loader = loaderOf(module, attributes, gate)
    if (module.located) this.#inputs.add(module.located.path)
    const content = module.content ?? gate.load(module.located!)
    if (loader === 'json' || loader === 'text' || loader === 'binary') {
      return { contents: content, loader }
    }
    const code = inlineSourceMap(content.toString(), (specifier) =>
      this.#readSourceMap(specifier, module),
    )
    const computed = this.#settings.computedImports.filter(({ file }) => file === path)
    return { contents: markComputedImports(code, computed), loader }
  }

  /** A source map that may not be read is as good as none: packages name files that they do not ship. */
  #readSourceMap(specifier: string, { located }: SourceModule): string | undefined {
    if (!located) return undefined
    const from = { directory: dirname(located.path), zone: located.zone }
    const path = /^(?:file:|[./])/.test(specifier) ? specifier : `./${specifier}`
    try {
      const found = this.#resolver.resolve(path, from, 'import', this.config)
      if (typeof found?.located !== 'object' || found.located.kind !== 'file') return undefined
      return this.#settings.gate.load(found.located).toString()
    } catch (error) {
      if (error instanceof ImportRefusal && error.rule !== 'bundle-size') return undefined
      throw error
    }
  }

  #parentConfig(specifier: string, from: ImportSource): Located | undefined {
    const none = new TypeScriptConfig() // its aliases are not known yet
    for (const name of [specifier, `${specifier}.json`, `${specifier}/tsconfig.json`]) {
      const found = this.#resolver.resolve(name, from, 'require', none)
      if (typeof found?.located === 'object' && found.located.kind === 'file') return found.located
    }
    return undefined
  }
}

/** Nothing waits for the result any more: its time is over, or the process of esbuild has ended. */
class BuildEnded extends Error {
  readonly code = 'BUILD_ENDED'
}

/** What was refused becomes an error at the import that asked for it. No other text of the system reaches the author. */
async function answer<T extends OnLoadResult | OnResolveResult>(
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const detail: ImportFailure = { refusal: error instanceof ImportRefusal ? error : undefined }
    const code = codeOf(error) ?? 'INTERNAL_ERROR'
    const text = error instanceof ImportRefusal ? error.message : `Cannot read it: ${code}`
    return { errors: [{ text, detail }] } as unknown as T
  }
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

function describe(specifier: string): string {
  return JSON.stringify(specifier.length > 200 ? `${specifier.slice(0, 200)}…` : specifier)
}
