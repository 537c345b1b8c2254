import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BuildOptions, OutputFile, Plugin } from 'esbuild'
import type { SourceLocation } from '../errors.js'
import type { ImportGate } from '../import-gate/import-gate.js'
import { inlineSourceMap } from '../import-gate/source-map-comment.js'
import { GLOBAL_PROPERTIES, GLOBALS_ENTRY, isOfPlatform } from '../platform/platform-loader.js'
import { platformModules } from '../platform/platform-modules.js'
import { type BuildPlan, FIRST_PLAN, isSamePlan } from './build-plan.js'
import { isBuildFailure, locationOf, toBundleError, toCompileError } from './bundle-error.js'
import { isComputedImport } from './computed-imports.js'
import type { EsbuildService } from './esbuild/esbuild-service.js'
import { GatedBuild, NAMESPACE } from './gated-build.js'
import type { ImportGraph } from './import-graph.js'
import { hasTooManyPlaces, MAX_SOURCE_MAP_LENGTH } from './limits/source-map-limit.js'
import { SourceBuild } from './source-build.js'

const TARGET = 'es2023'

/** esbuild lists the directory of its entry point by itself; no system call takes a path with a zero in it. */
const ENTRY_POINT = '/\0/entry'

/** JavaScript that the engine takes, and where it came from. */
export interface BundledSource {
  code: string
  /** JSON of a source map with `sourcesContent`; undefined for one that is larger than errors may cost. */
  sourceMap: string | undefined
}

/** Turns TypeScript, and files with imports, into one JavaScript module. */
export class Bundler {
  readonly #service: EsbuildService
  readonly #rootDir: string

  /** @param rootDir directory that names in source maps and errors are relative to */
  constructor(service: EsbuildService, rootDir: string) {
    this.#service = service
    this.#rootDir = rootDir
  }

  /** What the output depends on, apart from the sources. Reading it does not load esbuild. */
  get version(): string {
    const { version }: { version: string } = createRequire(import.meta.url)('esbuild/package.json')
    const options = JSON.stringify(fileOptions(this.#rootDir, FIRST_PLAN))
    return `esbuild@${version} ${options} node@${platformModules().version}`
  }

  /**
   * Drop the types of one TypeScript source.
   *
   * @throws CompileError
   */
  async transpile(source: string, filename: string): Promise<BundledSource> {
    try {
      const code = inlineSourceMap(source, () => undefined)
      const result = await this.#service.run((esbuild) =>
        esbuild.transform(code, {
          loader: 'ts',
          format: 'esm',
          target: TARGET,
          sourcemap: 'external',
          sourcefile: filename,
          logLevel: 'silent',
        }),
      )
      return { code: result.code, sourceMap: boundedMap(result.map) }
    } catch (error) {
      throw toCompileError(error, filename)
    }
  }

  /**
   * Bundle a file and everything that it imports.
   *
   * @param entry absolute path of the entry, which the gate has found
   * @param filename how errors call the entry
   * @param openGate a gate that has read nothing yet, for each build
   * @returns with `inputs`: the files in it, absolute paths, sorted
   * @throws CompileError
   */
  async bundle(
    entry: string,
    filename: string,
    openGate: () => ImportGate,
  ): Promise<BundledSource & { inputs: string[] }> {
    const rootDir = this.#rootDir
    return this.#byPlan(filename, async (plan, signal) => {
      const gate = openGate()
      const build = await GatedBuild.open({ gate, entry, rootDir, plan, signal })
      return {
        build,
        options: { tsconfigRaw: { compilerOptions: build.config.compilerOptions } },
        result: () => ({ inputs: build.inputs }),
      }
    })
  }

  /**
   * Bundle one source with the modules of the platform; it can import no other.
   *
   * @throws CompileError
   */
  async bundleSource(
    source: string,
    filename: string,
    language: 'js' | 'ts',
  ): Promise<BundledSource> {
    const code = inlineSourceMap(source, () => undefined)
    return this.#byPlan(filename, async (plan) => ({
      build: new SourceBuild({ code, filename, language, plan }),
      options: {},
      result: () => ({}),
    }))
  }

  /** A build may find out what the next one must know. */
  async #byPlan<T>(filename: string, prepare: Prepare<T>): Promise<BundledSource & T> {
    let plan = FIRST_PLAN
    for (;;) {
      const outcome = await this.#build(plan, prepare).catch((error: unknown) => {
        const computedImports = placesOfComputedImports(error)
        if (computedImports.length === 0 || plan.computedImports.length > 0) {
          throw toBundleError(error, filename)
        }
        return { neededPlan: { ...plan, computedImports } }
      })
      if ('result' in outcome && isSamePlan(outcome.neededPlan, plan)) return outcome.result
      plan = outcome.neededPlan
    }
  }

  #build<T>(
    plan: BuildPlan,
    prepare: Prepare<T>,
  ): Promise<{ neededPlan: BuildPlan; result: BundledSource & T }> {
    const rootDir = this.#rootDir
    return this.#service.run(async (esbuild, signal) => {
      const { build, options, result } = await prepare(plan, signal)
      try {
        const { outputFiles } = await esbuild.build({
          ...fileOptions(rootDir, plan),
          ...options,
          entryPoints: [ENTRY_POINT],
          plugins: [build.plugin],
        })
        const [map, code] = outputFiles!.sort((a, b) => b.path.length - a.path.length)
        return {
          neededPlan: build.neededPlan,
          result: { code: code!.text, sourceMap: textOfMap(map!), ...result() },
        }
      } catch (error) {
        if (isBuildFailure(error)) Object.assign(error, { graph: build.graph })
        throw error
      }
    })
  }
}

/** One build, and what it says when it is done. */
type Prepare<T> = (
  plan: BuildPlan,
  signal: AbortSignal,
) => Promise<{
  build: { plugin: Plugin; neededPlan: BuildPlan; graph: ImportGraph }
  options: BuildOptions
  result: () => T
}>

/** The settings that decide what a build returns. */
interface FileOptions extends BuildOptions {
  write: false
}

function fileOptions(rootDir: string, plan: BuildPlan): FileOptions {
  return {
    absWorkingDir: rootDir,
    bundle: true,
    write: false,
    format: 'esm',
    // Neither a browser nor Node: `browser` is the platform whose packages ask for the least.
    platform: 'browser',
    target: TARGET,
    sourcemap: 'external',
    // Never written: it says what the paths in the source map are relative to.
    outfile: join(rootDir, 'handler.js'),
    define: { 'process.env.NODE_ENV': '"production"', ...GLOBAL_PROPERTIES },
    inject: [GLOBALS_ENTRY],
    // Only a promise says what waits for it: generators ask one, and a native `await` asks none.
    supported: plan.keepsContexts
      ? { 'async-await': false, 'async-generator': false, 'for-await': false }
      : {},
    logLevel: 'silent',
  }
}

function placesOfComputedImports(error: unknown): SourceLocation[] {
  if (!isBuildFailure(error)) return []
  return error.errors
    .filter(({ text }) => isComputedImport(text))
    .flatMap((message) => locationOf(message) ?? [])
}

/** The text of a map is made only where it may be kept: one of megabytes costs its thread a noticeable time. */
function textOfMap(map: OutputFile): string | undefined {
  return map.contents.byteLength > MAX_SOURCE_MAP_LENGTH ? undefined : boundedMap(map.text)
}

/** The map with names that show no namespace, if it is small enough to be kept. */
function boundedMap(sourceMap: string): string | undefined {
  if (sourceMap.length > MAX_SOURCE_MAP_LENGTH) return undefined
  const map: { sources: string[]; sourcesContent: (string | null)[]; mappings: string } =
    JSON.parse(sourceMap)
  if (hasTooManyPlaces(map)) return undefined
  const prefix = `${NAMESPACE}:`
  // The text of the platform's modules says nothing to the author, and is in every map.
  map.sources.forEach((source, i) => {
    if (isOfPlatform(source)) map.sourcesContent[i] = null
  })
  map.sources = map.sources.map((source) =>
    source.startsWith(prefix) ? source.slice(prefix.length) : source,
  )
  return JSON.stringify(map)
}
