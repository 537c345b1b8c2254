import { dirname } from 'node:path'
import { describeThrown } from '@nexus/diagnostics'
import type { OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild'
import pLimit from 'p-limit'
import { nameOf } from '../import-gate/files/real-path.js'
import type { ImportGate, ImportSource, Located } from '../import-gate/import-gate.js'
import { ImportRefusal } from '../import-gate/import-refusal.js'
import { ModuleResolver } from '../import-gate/module-resolver.js'
import { inlineSourceMap } from '../import-gate/source-map-comment.js'
import { TypeScriptConfig } from '../import-gate/typescript-config.js'
import { isBuiltin, PlatformLoader } from '../platform/platform-loader.js'
import { loadStandIns, standIn } from '../platform/stand-ins.js'
import { untilTurn } from '../turns.js'
import { absentModule, loadAbsentModules, mayBeOptional } from './absent-modules.js'
import { type BuildPlan, withNeeds } from './build-plan.js'
import { markComputedImports } from './computed-imports.js'
import { ImportGraph } from './import-graph.js'
import { packageOf } from './package-of.js'
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
  plan: BuildPlan
  /** Ends the build: from then on no question of esbuild is worth an answer. */
  signal: AbortSignal
}

type FoundModule = SourceModule & { sideEffects?: boolean }

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
  readonly #platform = new PlatformLoader()
  readonly #oneByOne = pLimit(1)
  #hasAbsentModules = false

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

  /** What a build of these files must know, now that they are read. */
  get neededPlan(): BuildPlan {
    return withNeeds(this.#settings.plan, {
      hasAbsentModules: this.#hasAbsentModules,
      keepsContexts: this.#platform.keepsContexts,
    })
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
        this.#platform.setup(build)
        loadAbsentModules(build)
        loadStandIns(build)
        build.onLoad({ filter: /.*/ }, (args) => this.#inTurn(() => this.#load(args)))
      },
    }
  }

  /** esbuild asks thousands of questions at once; they must not hold up the thread together. */
  #inTurn<T extends OnLoadResult | OnResolveResult | undefined>(work: () => T): Promise<T> {
    return this.#oneByOne(() => answer(() => this.#whenWanted(work)))
  }

  /** Does a piece of work in a turn of its own, unless the build was ended meanwhile. */
  async #whenWanted<T>(work: () => T): Promise<T> {
    if (!this.#settings.signal.aborted) await untilTurn()
    if (this.#settings.signal.aborted) throw new BuildEnded()
    return work()
  }

  #resolve(args: OnResolveArgs): OnResolveResult | undefined {
    const { path: specifier, importer, kind } = args
    const inside = this.#platform.resolveInside(args)
    if (inside) return inside
    const module = kind === 'entry-point' ? this.#entry() : this.#find(args)
    if (module === 'disabled') return { path: specifier, namespace: DISABLED_NAMESPACE }
    if (module === undefined) {
      this.graph.add(importer, specifier)
      const replaced = standIn(specifier, packageOf(importer))
      if (replaced) return replaced
      if (mayBeOptional(args)) return this.#absent(args)
      const builtin = isBuiltin(specifier) ? specifier : undefined
      const detail: ImportFailure = { builtin }
      return { errors: [{ text: `Could not resolve ${describe(specifier)}`, detail }] }
    }
    if (!('name' in module)) return module
    this.#modules.set(module.name, module)
    if (kind === 'entry-point') this.graph.entry = module.name
    else this.graph.add(importer, module.name)
    return { path: module.name, namespace: NAMESPACE, sideEffects: module.sideEffects ?? true }
  }

  #entry(): FoundModule {
    const { gate, entry, rootDir } = this.#settings
    return { name: nameOf(rootDir, entry), located: { kind: 'file', path: entry, zone: gate.root } }
  }

  /** Without an answer esbuild looks for nothing: it only knows whether the code can do without the module. */
  #absent(args: OnResolveArgs): OnResolveResult | undefined {
    this.#hasAbsentModules = true
    return this.#settings.plan.hasAbsentModules ? absentModule(args) : undefined
  }

  #find(args: OnResolveArgs): FoundModule | OnResolveResult | 'disabled' | undefined {
    const { path: specifier, importer, kind } = args
    if (specifier.startsWith('data:')) return moduleOfDataUrl(specifier)
    const builtin = this.#platform.resolve(args)
    // A data: URL lies nowhere, and so has no package that maps names.
    if (builtin && !this.#modules.get(importer)?.located) return builtin
    const from = this.#sourceOf(importer)
    const style = kind === 'require-call' || kind === 'require-resolve' ? 'require' : 'import'
    const found = isBuiltin(specifier)
      ? this.#resolver.resolveMapped(specifier, from, style, this.config)
      : this.#resolver.resolve(specifier, from, style, this.config)
    if (!found) return builtin
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
    const computed = this.#settings.plan.computedImports.filter(({ file }) => file === path)
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
async function answer<T extends OnLoadResult | OnResolveResult | undefined>(
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const detail: ImportFailure = { refusal: error instanceof ImportRefusal ? error : undefined }
    const code = describeThrown(error).code ?? 'INTERNAL_ERROR'
    const text = error instanceof ImportRefusal ? error.message : `Cannot read it: ${code}`
    return { errors: [{ text, detail }] } as unknown as T
  }
}

function describe(specifier: string): string {
  return JSON.stringify(specifier.length > 200 ? `${specifier.slice(0, 200)}…` : specifier)
}
