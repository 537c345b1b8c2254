import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { ExtensionDescriptor } from 'quickjs-wasi'
import { dataSegments, joinDataSegments } from './shared-library.js'

/** The engine's native web APIs, in the order in which they are linked. */
const NAMES = ['url', 'encoding', 'headers', 'structured-clone'] as const

/** An extension of the engine, as its loader takes it. */
export interface EngineExtension extends ExtensionDescriptor {
  /** Name and SHA-256 of the program as it was installed. */
  readonly program: string
  /**
   * How many bytes from its base on are constants of its program (`.rodata`), which nothing ever
   * writes: the tables that URL needs for international host names are half of all web APIs.
   */
  readonly constantBytes: number
}

let compiled: Promise<readonly EngineExtension[]> | undefined

/**
 * The engine's own extensions, which give URL, URLSearchParams, TextEncoder, TextDecoder, Headers
 * and structuredClone; compiled once per thread.
 */
export function loadEngineExtensions(): Promise<readonly EngineExtension[]> {
  compiled ??= Promise.all(NAMES.map(load))
  return compiled
}

async function load(name: (typeof NAMES)[number]): Promise<EngineExtension> {
  const path = createRequire(import.meta.url).resolve(`quickjs-wasi/${name}.so`)
  const bytes: Uint8Array<ArrayBuffer> = await readFile(path)
  const valid = WebAssembly.validate(bytes) ? bytes : new Uint8Array(joinDataSegments(bytes))
  // Of URL, the constants are the first of two segments; the others are small and mixed.
  const [constants] = name === 'url' ? dataSegments(bytes) : []
  return {
    name,
    program: `${name} (${createHash('sha256').update(bytes).digest('hex')})`,
    wasm: await WebAssembly.compile(valid),
    constantBytes: constants?.bytes.length ?? 0,
  }
}
