import type { QuickJS } from 'quickjs-wasi'
import { PoolError } from '../errors.js'

/**
 * Where the engine keeps two values that are read or written on every call, as byte offsets.
 *
 * The engine exports no function for them, so they are found by what they do; a build that moved
 * them is found out here, not in a call.
 */
export interface EngineState {
  /** 64-bit state of `Math.random` (xorshift64*, never 0). */
  readonly randomStateOffset: number
  /** 32-bit count of the bytes that the engine has allocated. */
  readonly mallocSizeOffset: number
}

const MASK = (1n << 64n) - 1n

/** One step of xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
function xorshift(state: bigint): bigint {
  let x = state
  x ^= x >> 12n
  x ^= (x << 25n) & MASK
  x ^= x >> 27n
  return x
}

function findRandomState(vm: QuickJS): number {
  const contextPtr = vm._getExports().qjs_get_context_ptr()
  const words = () =>
    new BigUint64Array(vm._getMemory().buffer.slice(contextPtr, contextPtr + 4096))
  const random = vm.evalCode('Math.random')
  const before = words()
  vm.callFunction(random, vm.undefined).dispose()
  const after = words()
  random.dispose()
  const index = before.findIndex((word, i) => word !== 0n && xorshift(word) === after[i])
  if (index === -1) {
    throw new PoolError(
      'INSTANCE_FAILED',
      'The state of Math.random was not found in this build of the engine; calls could not be reseeded',
    )
  }
  return contextPtr + index * 8
}

function findMallocSize(vm: QuickJS): number {
  const { mallocSize, mallocCount } = vm.getMemoryUsage()
  const runtimePtr = vm._getExports().qjs_get_runtime_ptr()
  const words = new Uint32Array(vm._getMemory().buffer, runtimePtr, 64)
  // The usage is read while its own buffer is allocated; JSMallocState is { count, size, limit }.
  const index = words.findIndex(
    (word, i) =>
      Math.abs(word - mallocSize) < 1024 && Math.abs((words[i - 1] ?? 0) - mallocCount) < 16,
  )
  if (index === -1) {
    throw new PoolError(
      'INSTANCE_FAILED',
      'The allocation counter was not found in this build of the engine; memory could not be metered',
    )
  }
  return runtimePtr + index * 4
}

export function locateEngineState(vm: QuickJS): EngineState {
  return { randomStateOffset: findRandomState(vm), mallocSizeOffset: findMallocSize(vm) }
}
