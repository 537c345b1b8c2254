import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import type { SourceLocation } from '../errors.js'
import type { RecordedFacts } from '../import-gate/file-facts.js'
import type { ImportGate } from '../import-gate/import-gate.js'
import { inlineSourceMap } from '../import-gate/source-map-comment.js'
import { isBuildFailure, locationOf, toBundleError, toCompileError } from './bundle-error.js'
import { isComputedImport } from './computed-imports.js'
import type { EsbuildService } from './esbuild-service.js'
import { GatedBuild, NAMESPACE } from './gated-build.js'
import { hasTooManyPlaces, MAX_SOURCE_MAP_LENGTH } from './source-map-limit.js'

const TARGET = 'es2023'

/** esbuild lists the directory of its entry point by itself; no system call takes a path with a zero in it. */
const ENTRY_POINT = '/\0/entry'

/** JavaScript that the engine takes, and where it came from. */
export interface BundledSource {
  code: string
  /** JSON of a source map with `sourcesContent`; undefined for one that is larger than errors may cost. */
  sourceMap: string | undefined
}

/** A bundle with what it was made of. */
export interface Bundle extends BundledSource {
  /** The files in it: absolute paths, sorted. */
  inputs: string[]
  /** What the build saw of the file system. */
  facts: RecordedFacts
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
    return `esbuild@${version} ${JSON.stringify(fileOptions(this.#rootDir))}`
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
   * @throws CompileError
   */
  async bundle(entry: string, filename: string, openGate: () => ImportGate): Promise<Bundle> {
    try {
      return await this.#build(entry, openGate, [])
    } catch (error) {
      const computedImports = placesOfComputedImports(error)
      if (computedImports.length === 0) throw toBundleError(error, filename)
      return await this.#build(entry, openGate, computedImports).catch((failure: unknown) => {
        throw toBundleError(failure, filename)
      })
    }
  }

  #build(
    entry: string,
    openGate: () => ImportGate,
    computedImports: readonly SourceLocation[],
  ): Promise<Bundle> {
    const rootDir = this.#rootDir
    return this.#service.run(async (esbuild, signal) => {
      const gate = openGate()
      const build = await GatedBuild.open({ gate, entry, rootDir, computedImports, signal })
      try {
        const { outputFiles } = await esbuild.build({
          ...fileOptions(rootDir),
          entryPoints: [ENTRY_POINT],
          plugins: [build.plugin],
          tsconfigRaw: { compilerOptions: build.config.compilerOptions },
        })
        const [map, code] = outputFiles.sort((a, b) => b.path.length - a.path.length)
        return {
          code: code!.text,
          sourceMap: boundedMap(map!.text),
          inputs: build.inputs,
          facts: gate.facts,
        }
      } catch (error) {
        if (isBuildFailure(error)) Object.assign(error, { graph: build.graph })
        throw error
      }
    })
  }
}

/** The settings that decide what a build returns. */
interface FileOptions extends BuildOptions {
  write: false
}

function fileOptions(rootDir: string): FileOptions {
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
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  }
}

function placesOfComputedImports(error: unknown): SourceLocation[] {
  if (!isBuildFailure(error)) return []
  return error.errors
    .filter(({ text }) => isComputedImport(text))
    .flatMap((message) => locationOf(message) ?? [])
}

/** The map with names that show no namespace, if it is small enough to be kept. */
function boundedMap(sourceMap: string): string | undefined {
  if (sourceMap.length > MAX_SOURCE_MAP_LENGTH) return undefined
  const map: { sources: string[]; mappings: string } = JSON.parse(sourceMap)
  if (hasTooManyPlaces(map)) return undefined
  const prefix = `${NAMESPACE}:`
  map.sources = map.sources.map((source) =>
    source.startsWith(prefix) ? source.slice(prefix.length) : source,
  )
  return JSON.stringify(map)
}
