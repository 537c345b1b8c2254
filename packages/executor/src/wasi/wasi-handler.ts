import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { CompileError, type ModuleCache } from '@nexus/compile-cache'
import { z } from 'zod'
import { ExecutorError } from '../errors.js'
import type { NamedFile } from './files/named-file.js'
import { layOutOnThread } from './module/lay-out-on-thread.js'
import type { WasiProgram } from './wasi-program.js'

/** What a WASI command is given in addition to the event. */
export interface WasiOptions {
  /**
   * Arguments after the name of the command, at most 64 KiB in all.
   * @default []
   */
  args?: readonly string[] | undefined
  /**
   * Files that each call finds, by absolute path, such as `{ '/data/rates.json': '{}' }`: text or bytes, at
   * most 64 MiB in all. There are no others, and what a call writes is gone after it.
   * @default {}
   */
  files?: Readonly<Record<string, string | Uint8Array>> | undefined
}

/** A WASI command that was checked and compiled, for `executeCompiledHandler`. */
export interface WasiHandler {
  /** Tells it apart from a compiled JavaScript handler. */
  readonly kind: 'wasi'
  /** 64 hex digits: SHA-256 of the binary and its options. */
  readonly cacheKey: string
  /** Whether the compiled module was at hand. */
  readonly cacheHit: boolean
  /** Where it was. */
  readonly cacheTier: 'memory' | 'none'
  /** What checking and compiling it took, in microseconds. */
  readonly compileTimeUs: number
  /** The name under which errors show it. */
  readonly filename: string
  /** The files that it was made of, as absolute paths. */
  readonly inputs: string[]
  /** What a thread runs. */
  readonly program: WasiProgram
}

/** Longest binary that is compiled, in bytes. */
const MAX_BINARY_BYTES = 64 * 1024 * 1024
const MAX_ARGS_BYTES = 64 * 1024
const MAX_FILES_BYTES = 64 * 1024 * 1024

/** Names of 1 to 255 characters, none of them `.` or `..`. */
const FILE_PATH = /^(\/(?!\.{1,2}(\/|$))[^/\0]{1,255})+$/

interface ResolvedWasiOptions {
  args: string[]
  files: NamedFile[]
}

const schema = z.strictObject({
  args: z
    .array(z.string().refine((arg) => !arg.includes('\0'), 'expected no zero character'))
    .refine((args) => Buffer.byteLength(args.join('\0')) <= MAX_ARGS_BYTES, {
      error: `expected at most ${MAX_ARGS_BYTES} bytes in all`,
    })
    .default([]),
  files: z
    .record(z.string(), z.union([z.string(), z.instanceof(Uint8Array)]))
    .refine((files) => Object.keys(files).every((path) => FILE_PATH.test(path)), {
      error: 'expected absolute paths of files, without . and .. and empty names',
    })
    .refine((files) => !Object.keys(files).some((path) => hasBelow(files, path)), {
      error: 'expected no file to be also the directory of another',
    })
    .transform((files) => Object.entries(files).map(([path, content]) => fileOf(path, content)))
    .refine((files) => filesBytes(files) <= MAX_FILES_BYTES, {
      error: `expected at most ${MAX_FILES_BYTES} bytes in all`,
    })
    .prefault({}),
}) satisfies z.ZodType<ResolvedWasiOptions, WasiOptions>

/**
 * Checks a binary and compiles it, or finds it compiled.
 *
 * @param path of the binary, absolute; `undefined` when it did not come from a file
 * @throws {@link ExecutorError} `COMPILATION_ERROR`, `INVALID_HANDLER`, `RESOURCE_LIMIT`, `INVALID_OPTIONS`
 */
export async function compileWasi(
  bytes: Uint8Array,
  path: string | undefined,
  options: WasiOptions,
  modules: ModuleCache,
): Promise<WasiHandler> {
  const startedAt = performance.now()
  const { args, files } = resolveOptions(options)
  const filename = path === undefined ? 'command.wasm' : basename(path)
  const { length } = bytes
  if (length > MAX_BINARY_BYTES) {
    throw new ExecutorError(
      'RESOURCE_LIMIT',
      `${filename}: expected at most ${MAX_BINARY_BYTES} bytes, got ${length}`,
    )
  }
  // What was read from a file is no one else's.
  const { wasm, ...layout } = await layOutOnThread(bytes, filename, path !== undefined)
  const compiledBefore = modules.cacheStats().misses
  const compiling = modules.getOrCompileModule(wasm)
  const cacheHit = modules.cacheStats().misses === compiledBefore
  const module = await compiling.catch((cause: unknown) => {
    if (!(cause instanceof CompileError)) throw cause
    const message = `${filename} is not a WebAssembly module: ${cause.message}`
    throw new ExecutorError('COMPILATION_ERROR', message, { cause })
  })
  const commandLine = [filename, ...args]
  return {
    kind: 'wasi',
    cacheKey: keyOf(wasm, commandLine, files),
    cacheHit,
    cacheTier: cacheHit ? 'memory' : 'none',
    compileTimeUs: (performance.now() - startedAt) * 1000,
    filename,
    inputs: path === undefined ? [] : [path],
    program: {
      ...layout,
      module,
      args: commandLine,
      files,
      byteLength: length + filesBytes(files),
    },
  }
}

function resolveOptions(options: WasiOptions): ResolvedWasiOptions {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new ExecutorError(
    'INVALID_OPTIONS',
    `Invalid options of a WASI command:\n${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  )
}

function keyOf(
  wasm: Uint8Array,
  commandLine: readonly string[],
  files: readonly NamedFile[],
): string {
  const named = files.map(({ path, bytes }) => [path, bytes.length])
  const hash = createHash('sha256')
    .update(JSON.stringify([commandLine, named]))
    .update('\n')
  for (const { bytes } of files) hash.update(bytes)
  return hash.update(wasm).digest('hex')
}

function fileOf(path: string, content: string | Uint8Array): NamedFile {
  return { path, bytes: Uint8Array.from(Buffer.from(content as Uint8Array)) }
}

function filesBytes(files: readonly NamedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function hasBelow(files: object, path: string): boolean {
  return Object.keys(files).some((other) => other.startsWith(`${path}/`))
}
