import type { QuickJS } from 'quickjs-wasi'
import { PoolError } from '../errors.js'

/**
 * Where the engine and its allocator keep what images and calls need to know, as byte offsets.
 *
 * The engine exports no function for them, so they are found by what they do; a build that moved
 * them is found out here, not in a call.
 */
export interface EngineState {
  /** 64-bit state of `Math.random` (xorshift64*, never 0). */
  readonly randomStateOffset: number
  /** 32-bit count of the bytes that the engine has allocated. */
  readonly mallocSizeOffset: number
  /** 32-bit address of the allocator's top chunk: the free end of the heap. */
  readonly heapTopOffset: number
}

/** A chunk of dlmalloc has its size, with flags in the lowest three bits, in its second word. */
export const CHUNK_HEADER_BYTES = 8
export const CHUNK_FLAGS = 7

/** The free end of the heap, from which nothing is in use. */
export interface FreeHeap {
  readonly start: number
  readonly end: number
}

/** Everything below is in use or may be, whether it holds zeros or not. */
export function freeHeap(memory: Buffer, { heapTopOffset }: EngineState): FreeHeap {
  const top = memory.readUInt32LE(heapTopOffset)
  const size = memory.readUInt32LE(top + 4) & ~CHUNK_FLAGS
  return { start: top + CHUNK_HEADER_BYTES, end: top + size }
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

function findHeapTop(vm: QuickJS, heapBytes: number): number {
  const { wasm_malloc: malloc, wasm_free: free, qjs_get_runtime_ptr } = vm._getExports()
  const words = () => new Uint32Array(vm._getMemory().buffer.slice(0, qjs_get_runtime_ptr()))
  // Most of the free end at once: no hole of the heap is as large.
  const before = words()
  const block = malloc((heapBytes * 3) / 4) - CHUNK_HEADER_BYTES
  const after = words()
  const size = new DataView(vm._getMemory().buffer).getUint32(block + 4, true) & ~CHUNK_FLAGS
  free(block + CHUNK_HEADER_BYTES)
  const index = before.findIndex((word, i) => word === block && after[i] === block + size)
  if (index === -1) {
    throw new PoolError(
      'INSTANCE_FAILED',
      'The end of the heap was not found in this build of the engine; images would leave out what is in use',
    )
  }
  return index * 4
}

/** @param heapBytes what is free at the end of the heap, at least */
export function locateEngineState(vm: QuickJS, heapBytes: number): EngineState {
  return {
    randomStateOffset: findRandomState(vm),
    mallocSizeOffset: findMallocSize(vm),
    heapTopOffset: findHeapTop(vm, heapBytes),
  }
}
