import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PoolError } from '../errors.js'
import { flagRefusals } from './refusal-flag.js'

/** Bytes from `start` to `end` of the linear memory. */
export interface MemoryRange {
  readonly start: number
  readonly end: number
}

/** The QuickJS engine. */
export interface EngineModule {
  readonly module: WebAssembly.Module
  /** Name, version and SHA-256 of the program as it was installed. */
  readonly program: string
  /** Constants of its program (`.rodata`), which nothing ever writes; empty for a build that is not known. */
  readonly constants: MemoryRange
}

/**
 * Where builds of the engine keep their constants, by the SHA-256 of `quickjs.wasm`. The linker puts
 * `.rodata` first, so `start` is the place of the first data segment, and `end` the lowest address that
 * the code stores to: the smallest constant that `wasm-decompile quickjs.wasm` shows as the base of an
 * assignment, which is where a data segment starts too.
 */
const CONSTANTS: Readonly<Record<string, MemoryRange>> = {
  // quickjs-wasi 3.6.2
  d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9: {
    start: 1_048_576,
    end: 1_165_472,
  },
}
const NOTHING: MemoryRange = { start: 0, end: 0 }

let loaded: Promise<EngineModule> | undefined

/** The engine, compiled once per thread. */
export function loadEngineModule(): Promise<EngineModule> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<EngineModule> {
  const bytes = await readFile(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'))
  const hash = createHash('sha256').update(bytes).digest('hex')
  const flagged = flagRefusals(bytes)
  if (flagged === undefined) {
    throw new PoolError(
      'INSTANCE_FAILED',
      'The function that refuses an allocation was not found in this build of the engine; who runs out of memory would not be known',
    )
  }
  return {
    module: await WebAssembly.compile(flagged),
    program: `quickjs-wasi ${installedVersion()} (${hash})`,
    constants: CONSTANTS[hash] ?? NOTHING,
  }
}

function installedVersion(): string {
  const { version } = createRequire(import.meta.url)('quickjs-wasi/package.json') as {
    version: string
  }
  return version
}
