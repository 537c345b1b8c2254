import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import type { BuildFailure, BuildOptions, BuildResult, Message, Metafile } from 'esbuild'
import { describeAt } from '../engine/code-frame.js'
import { CompileError, type SourceLocation } from '../errors.js'
import type { EsbuildService } from './esbuild-service.js'
import { describeImportChain } from './import-chain.js'

const TARGET = 'es2023'
const MAX_ERRORS_SHOWN = 5

/** JavaScript that the engine takes, and where it came from. */
export interface BundledSource {
  code: string
  /** JSON of a source map with `sourcesContent`. */
  sourceMap: string
}

/** A bundle with the files that it was made of. */
export interface Bundle extends BundledSource {
  metafile: Metafile
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

  /** What the output depends on besides the sources. Reading it does not load esbuild. */
  get version(): string {
    const { version }: { version: string } = createRequire(import.meta.url)('esbuild/package.json')
    const environment = process.env.NODE_PATH ?? ''
    return `esbuild@${version} ${JSON.stringify(fileOptions(this.#rootDir))} ${environment}`
  }

  /**
   * Drop the types of one TypeScript source.
   *
   * @throws CompileError
   */
  async transpile(source: string, filename: string): Promise<BundledSource> {
    try {
      const result = await this.#service.run((esbuild) =>
        esbuild.transform(source, {
          loader: 'ts',
          format: 'esm',
          target: TARGET,
          sourcemap: 'external',
          sourcefile: filename,
          logLevel: 'silent',
        }),
      )
      return { code: result.code, sourceMap: result.map }
    } catch (error) {
      throw toCompileError(error, filename)
    }
  }

  /**
   * Bundle a file and everything that it imports.
   *
   * @param path absolute path of the entry
   * @param filename how errors call the entry
   * @throws CompileError
   */
  async bundle(path: string, filename: string): Promise<Bundle> {
    try {
      const result = await this.#build(path, [])
      const [map, code] = result.outputFiles.sort((a, b) => b.path.length - a.path.length)
      return { code: code!.text, sourceMap: map!.text, metafile: result.metafile }
    } catch (error) {
      throw (await this.#nodeBuiltinError(path, error)) ?? toCompileError(error, filename)
    }
  }

  #build(path: string, external: string[]): Promise<BuildResult<FileOptions>> {
    const options = { ...fileOptions(this.#rootDir), entryPoints: [path], external }
    return this.#service.run((esbuild) => esbuild.build(options))
  }

  /** An import of a Node built-in, told with the package that wants it and how the entry came to it. */
  async #nodeBuiltinError(path: string, error: unknown): Promise<CompileError | undefined> {
    const builtins = isBuildFailure(error) ? error.errors.flatMap(builtinOf) : []
    const [builtin] = builtins
    if (builtin === undefined) return undefined
    // A second build that leaves the built-ins out tells how the entry came to them.
    const build = await this.#build(path, builtins).catch(() => undefined)
    const importer = (error as BuildFailure).errors.find((message) => builtinOf(message).length > 0)
    const location = importer && locationOf(importer)
    const chain = build && location && describeImportChain(build.metafile, location.file, builtin)
    const who = location ? packageOf(location.file) : undefined
    const message = [
      who === undefined ? `Cannot import "${builtin}"` : `Cannot bundle the package "${who}"`,
      `: it needs the Node.js built-in "${builtin}", which the sandbox does not have.`,
      chain === undefined ? '' : `\nImport chain: ${chain}`,
    ].join('')
    return new CompileError(
      'COMPILATION_ERROR',
      location ? describeAt(location, message) : message,
      {
        location,
        cause: error,
      },
    )
  }
}

/** The settings that decide what a build returns. */
interface FileOptions extends BuildOptions {
  metafile: true
  write: false
}

function fileOptions(rootDir: string): FileOptions {
  return {
    absWorkingDir: rootDir,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    // Neither a browser nor Node: `browser` is the platform whose packages ask for the least.
    platform: 'browser',
    target: TARGET,
    sourcemap: 'external',
    // Never written: it says what the paths in the source map are relative to.
    outfile: join(rootDir, 'handler.js'),
    conditions: ['worker', 'module'],
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  }
}

function toCompileError(error: unknown, filename: string): CompileError {
  if (error instanceof CompileError) {
    return new CompileError(error.code, `Cannot compile ${filename}: ${error.message}`, {
      cause: error.cause,
    })
  }
  if (!isBuildFailure(error)) {
    const reason = error instanceof Error ? error.message : String(error)
    return new CompileError(
      'INTERNAL_ERROR',
      `Cannot compile ${filename}: esbuild does not run: ${reason}`,
      { cause: error },
    )
  }
  const texts = error.errors.slice(0, MAX_ERRORS_SHOWN).map((message) => {
    const location = locationOf(message)
    return location ? describeAt(location, message.text) : `${filename}: ${message.text}`
  })
  const hidden = error.errors.length - texts.length
  if (hidden > 0) texts.push(`… and ${hidden} more errors`)
  return new CompileError('COMPILATION_ERROR', texts.join('\n\n'), {
    location: error.errors[0] && locationOf(error.errors[0]),
    cause: error,
  })
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

function locationOf({ location }: Message): SourceLocation | undefined {
  if (!location) return undefined
  const { file, line, column, lineText } = location
  // esbuild counts columns in UTF-8 bytes from 0.
  const before = Buffer.from(lineText).subarray(0, column).toString()
  return { file, line, column: before.length + 1, lineText }
}

function builtinOf(message: Message): string[] {
  const specifier = /^Could not resolve "(.+)"$/.exec(message.text)?.[1]
  if (specifier === undefined) return []
  const known = specifier.startsWith('node:') || builtinModules.includes(specifier)
  return known ? [specifier] : []
}

/** The npm package that a file belongs to. */
function packageOf(file: string): string | undefined {
  return /.*(?:^|[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/
    .exec(file)?.[1]
    ?.replace('\\', '/')
}
