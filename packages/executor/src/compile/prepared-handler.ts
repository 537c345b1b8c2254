import { createHash } from 'node:crypto'
import type { CompiledHandler } from '@nexus/compile-cache'
import type { HandlerCode } from '../call/call.js'
import { ExecutorError } from '../errors.js'
import type { HandlerSource } from '../result/error-report.js'
import type { WasiHandler } from '../wasi/wasi-handler.js'

/** What the result of a call says of its code. */
export interface CalledCode extends HandlerSource {
  readonly compileTimeUs: number
  readonly cacheHit: boolean
  readonly cacheTier: CompiledHandler['cacheTier']
}

/** What is known of a handler when it is called. */
export interface PreparedHandler extends CalledCode {
  readonly key: string
  readonly code: HandlerCode
}

/** Hashing bytecode takes longer than a small call: each array is hashed once. */
const keysOfBytes = new WeakMap<Uint8Array, string>()

/**
 * What was compiled before the call that is about to be made.
 *
 * @throws ExecutorError `INVALID_OPTIONS`
 */
export function preparedOfAny(
  handler: CompiledHandler | WasiHandler | Uint8Array,
): PreparedHandler {
  if (handler instanceof Uint8Array) return preparedOfBytes(handler)
  if (typeof handler?.cacheKey !== 'string') {
    throw new ExecutorError(
      'INVALID_OPTIONS',
      `Expected a compiled handler or bytecode, got ${handler === null ? 'null' : typeof handler}`,
    )
  }
  return 'program' in handler ? preparedOfWasi(handler) : preparedOf(handler, true)
}

/** @param compiledBefore whether the call that is about to be made did not compile it */
export function preparedOf(handler: CompiledHandler, compiledBefore = false): PreparedHandler {
  const { cacheKey, bytecode, filename, sourceMap } = handler
  return {
    key: cacheKey,
    code: bytecode,
    filename,
    sourceMap,
    compileTimeUs: compiledBefore ? 0 : handler.compileTimeUs,
    cacheHit: compiledBefore || handler.cacheHit,
    cacheTier: compiledBefore ? 'memory' : handler.cacheTier,
  }
}

export function preparedOfWasi({ cacheKey, program, filename }: WasiHandler): PreparedHandler {
  return {
    key: cacheKey,
    code: program,
    filename,
    compileTimeUs: 0,
    cacheHit: true,
    cacheTier: 'memory',
  }
}

function preparedOfBytes(bytecode: Uint8Array): PreparedHandler {
  let key = keysOfBytes.get(bytecode)
  if (key === undefined) {
    key = createHash('sha256').update(bytecode).digest('hex')
    keysOfBytes.set(bytecode, key)
  }
  return {
    key,
    code: bytecode,
    filename: 'handler.js',
    compileTimeUs: 0,
    cacheHit: true,
    cacheTier: 'memory',
  }
}
