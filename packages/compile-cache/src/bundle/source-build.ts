import type { OnResolveArgs, OnResolveResult, Plugin } from 'esbuild'
import { isBuiltin, PlatformLoader } from '../platform/platform-loader.js'
import { absentModule, loadAbsentModules, mayBeOptional } from './absent-modules.js'
import { type BuildPlan, withNeeds } from './build-plan.js'
import { type ImportFailure, NAMESPACE } from './gated-build.js'
import { ImportGraph } from './import-graph.js'

/** How the build of one source is set up. */
export interface SourceBuildSettings {
  code: string
  filename: string
  language: 'js' | 'ts'
  plan: BuildPlan
}

/** The build of a source that is no file: it reaches the modules of the platform, and nothing else. */
export class SourceBuild {
  readonly graph = new ImportGraph()
  readonly #settings: SourceBuildSettings
  readonly #platform = new PlatformLoader()
  #hasAbsentModules = false

  constructor(settings: SourceBuildSettings) {
    this.#settings = settings
    this.graph.entry = settings.filename
  }

  /** What a build of this source must know, now that it is read. */
  get neededPlan(): BuildPlan {
    return withNeeds(this.#settings.plan, {
      hasAbsentModules: this.#hasAbsentModules,
      keepsContexts: this.#platform.keepsContexts,
    })
  }

  /** Answers every question of esbuild about files, so that it asks the file system none. */
  get plugin(): Plugin {
    const { code, filename, language } = this.#settings
    return {
      name: 'one source',
      setup: (build) => {
        build.onResolve({ filter: /.*/ }, (args) => this.#resolve(args))
        this.#platform.setup(build)
        loadAbsentModules(build)
        build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) =>
          path === filename
            ? { contents: code, loader: language }
            : { errors: [{ text: 'it is not part of the source' }] },
        )
      },
    }
  }

  #resolve(args: OnResolveArgs): OnResolveResult | undefined {
    const { filename, plan } = this.#settings
    const inside = this.#platform.resolveInside(args)
    if (inside) return inside
    if (args.kind === 'entry-point') return { path: filename, namespace: NAMESPACE }
    const found = this.#platform.resolve(args)
    if (found) return found
    this.graph.add(args.importer, args.path)
    if (mayBeOptional(args)) {
      this.#hasAbsentModules = true
      return plan.hasAbsentModules ? absentModule(args) : undefined
    }
    const detail: ImportFailure = isBuiltin(args.path) ? { builtin: args.path } : {}
    return { errors: [{ text: missingText(args.path), detail }] }
  }
}

function missingText(specifier: string): string {
  return `Cannot find module "${specifier.slice(0, 200)}"; compile(source) does not bundle, use compileFile(path)`
}
