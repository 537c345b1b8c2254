import { resolve } from 'node:path'
import type { Logger } from '@nexus/diagnostics'
import { loggerSchema } from '@nexus/diagnostics/zod'
import { z } from 'zod'
import { CompileError } from './errors.js'
import { realPathOf } from './import-gate/files/real-path.js'
import type { SharedTier } from './tiers/shared-tier.js'

const KiB = 1024
const MiB = 1024 * KiB

/** Options of a `HandlerCompiler`. Explicit options win over the environment, which wins over defaults. */
export interface HandlerCompilerOptions {
  /**
   * Directory of the disk tier, created when first written; `false` turns the disk tier off.
   * @default the environment variable `CACHE_DIR`, else `.nexus-cache` in the working directory
   */
  cacheDir?: string | false | undefined
  /**
   * Bytes the disk tier may hold; least recently used entries go first.
   * @default the environment variable `MAX_CACHE_SIZE_BYTES`, else 512 MiB
   */
  maxCacheSizeBytes?: number | undefined
  /**
   * Bytes of bytecode, source maps and sources kept in memory.
   * @default 64 MiB
   */
  maxMemoryBytes?: number | undefined
  /**
   * Version of what the caller wraps around the handlers; a change misses every tier.
   * @default ''
   */
  version?: string | undefined
  /**
   * Key of the HMAC-SHA256 that seals cache files, at least 16 bytes. Set it where others can write
   * to `cacheDir`; a shared tier requires it.
   * @default none: files carry a checksum only
   */
  secret?: string | Uint8Array | undefined
  /**
   * A cache that several machines use.
   * @default none
   */
  sharedTier?: SharedTier | undefined
  /**
   * Longest wait for one answer of the shared tier, in milliseconds.
   * @default 250
   */
  sharedTimeoutMs?: number | undefined
  /**
   * Directory that file names in stack traces, source maps and errors are relative to.
   * @default the working directory
   */
  rootDir?: string | undefined
  /**
   * Sources above this many UTF-16 code units compile on a worker thread; 0 sends every source there,
   * so that no source, however hostile, holds up the calling thread.
   * @default 65,536, about 6 ms of compiling
   */
  offloadLength?: number | undefined
  /**
   * Longest source or bundle that is compiled, in UTF-16 code units.
   * @default 8 Mi
   */
  maxSourceLength?: number | undefined
  /**
   * Longest file that a bundle reads, in bytes.
   * @default 8 MiB
   */
  maxFileBytes?: number | undefined
  /**
   * Longest that the files of one bundle may be together, in bytes.
   * @default 32 MiB
   */
  maxBundleBytes?: number | undefined
  /**
   * Files and directories that no handler may import, although they lie in its import root: absolute, or relative to
   * the working directory. `nexus.yaml`, `cacheDir`, and names that begin with a dot are never read, listed or not.
   * @default []
   */
  privatePaths?: readonly string[] | undefined
  /**
   * Memory that compiling one source may take, in bytes.
   * @default 256 MiB
   */
  compileMemoryLimitBytes?: number | undefined
  /**
   * Longest time for one compile on the worker thread, or for one run of esbuild, in milliseconds.
   * @default 10,000
   */
  compileTimeoutMs?: number | undefined
  /**
   * Told what is compiled, which tier had it, and what the cache works around, such as a full disk or a damaged file.
   * @default nothing is logged
   */
  logger?: Logger | undefined
  /**
   * Epoch milliseconds, for access times.
   * @default Date.now
   */
  clock?: (() => number) | undefined
}

/** The options with every default filled in. */
export interface ResolvedCompilerOptions {
  cacheDir: string | false
  maxCacheSizeBytes: number
  maxMemoryBytes: number
  version: string
  secret?: string | Uint8Array | undefined
  sharedTier?: SharedTier | undefined
  sharedTimeoutMs: number
  rootDir: string
  offloadLength: number
  maxSourceLength: number
  maxFileBytes: number
  maxBundleBytes: number
  privatePaths: readonly string[]
  compileMemoryLimitBytes: number
  compileTimeoutMs: number
  logger: Logger
  clock: () => number
}

const bytes = z.number().int().positive()
const milliseconds = z
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1)

const schema = z.strictObject({
  cacheDir: z.union([z.string().min(1), z.literal(false)]).default('.nexus-cache'),
  maxCacheSizeBytes: bytes.default(512 * MiB),
  maxMemoryBytes: bytes.default(64 * MiB),
  version: z.string().default(''),
  secret: z
    .union([z.string(), z.instanceof(Uint8Array)])
    .refine((secret) => Buffer.byteLength(secret) >= 16, 'expected at least 16 bytes')
    .optional(),
  sharedTier: z
    .custom<SharedTier>(
      (tier) =>
        typeof (tier as SharedTier | null)?.get === 'function' &&
        typeof (tier as SharedTier).put === 'function',
      'expected an object with get(key) and put(key, bytes)',
    )
    .optional(),
  sharedTimeoutMs: milliseconds.default(250),
  rootDir: z
    .string()
    .min(1)
    .default('.')
    .transform((dir) => realPathOf(resolve(dir))),
  offloadLength: z
    .number()
    .int()
    .nonnegative()
    .default(64 * KiB),
  maxSourceLength: bytes.default(8 * MiB),
  maxFileBytes: bytes.default(8 * MiB),
  maxBundleBytes: bytes.default(32 * MiB),
  privatePaths: z
    .array(z.string().min(1))
    .transform((paths) => paths.map((path) => resolve(path)))
    .default([]),
  compileMemoryLimitBytes: bytes
    .min(8 * MiB)
    .max(2048 * MiB)
    .default(256 * MiB),
  compileTimeoutMs: milliseconds.default(10_000),
  logger: loggerSchema,
  clock: z
    .custom<() => number>((f) => typeof f === 'function', 'expected a function')
    .default(() => Date.now),
}) satisfies z.ZodType<ResolvedCompilerOptions, HandlerCompilerOptions>

/**
 * Check the options and fill in the environment and the defaults.
 *
 * @throws CompileError INVALID_OPTIONS naming each wrong option
 */
export function resolveOptions(
  options: HandlerCompilerOptions,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedCompilerOptions {
  const result = schema.safeParse({ ...fromEnvironment(env), ...definedOnly(options) })
  if (!result.success) {
    throw new CompileError(
      'INVALID_OPTIONS',
      `Wrong options of HandlerCompiler:\n${z.prettifyError(result.error)}`,
      { cause: result.error },
    )
  }
  const resolved = result.data
  if (resolved.sharedTier && resolved.secret === undefined) {
    throw new CompileError(
      'INVALID_OPTIONS',
      'Wrong options of HandlerCompiler: a sharedTier needs a secret, because another program that can write to it ' +
        'could otherwise plant bytecode. Give every process that shares it the same secret of at least 16 bytes.',
    )
  }
  return resolved
}

function fromEnvironment(env: NodeJS.ProcessEnv): HandlerCompilerOptions {
  const fromEnv: HandlerCompilerOptions = {}
  if (env.CACHE_DIR) fromEnv.cacheDir = env.CACHE_DIR
  const size = env.MAX_CACHE_SIZE_BYTES
  if (size) {
    if (!/^[1-9]\d{0,14}$/.test(size)) {
      throw new CompileError(
        'INVALID_OPTIONS',
        `Wrong environment variable MAX_CACHE_SIZE_BYTES: expected a whole number of bytes above 0, got "${size}"`,
      )
    }
    fromEnv.maxCacheSizeBytes = Number(size)
  }
  return fromEnv
}

/** An option given as `undefined` counts as not given. */
function definedOnly(options: HandlerCompilerOptions): HandlerCompilerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
