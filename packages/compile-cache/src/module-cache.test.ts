import { expect, it } from 'vitest'
import { ModuleCache } from './module-cache.js'

const EMPTY = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** A valid module of 10 + `content` + … bytes: nothing but a custom section. */
function wasm(name: string, size = 100): Uint8Array {
  const content = new TextEncoder().encode(name.padEnd(size - EMPTY.length - 3, '.'))
  return Uint8Array.from([...EMPTY, 0, content.length + 1, 0, ...content])
}

it('a binary is compiled once, by content', async () => {
  const cache = new ModuleCache()
  const first = await cache.getOrCompileModule(wasm('a'))
  const second = await cache.getOrCompileModule(wasm('a'))
  const other = await cache.getOrCompileModule(wasm('b'))
  expect(first).toBeInstanceOf(WebAssembly.Module)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
  expect(cache.cacheStats()).toMatchObject({ size: 2, hits: 1, misses: 2, bytes: 200 })
  expect(cache.cacheStats().keys).toHaveLength(2)
})

it('concurrent callers share one compile', async () => {
  const cache = new ModuleCache()
  const modules = await Promise.all(
    Array.from({ length: 10 }, () => cache.getOrCompileModule(wasm('a'))),
  )
  expect(new Set(modules).size).toBe(1)
  expect(cache.cacheStats()).toMatchObject({ misses: 1, hits: 9 })
})

it('the limit holds on both sides', async () => {
  const cache = new ModuleCache({ maxBytes: 200 })
  await cache.getOrCompileModule(wasm('a', 100))
  await cache.getOrCompileModule(wasm('b', 100))
  expect(cache.cacheStats()).toMatchObject({ size: 2, evictions: 0 })
  await cache.getOrCompileModule(wasm('a', 100))
  await cache.getOrCompileModule(wasm('c', 50))
  expect(cache.cacheStats()).toMatchObject({ size: 2, evictions: 1, bytes: 150 })
  await cache.getOrCompileModule(wasm('a', 100))
  expect(cache.cacheStats().hits).toBe(2)
})

it('a module larger than the cache is compiled and not kept', async () => {
  const cache = new ModuleCache({ maxBytes: 99 })
  expect(await cache.getOrCompileModule(wasm('a', 100))).toBeInstanceOf(WebAssembly.Module)
  expect(cache.cacheStats().size).toBe(0)
})

it('bytes that are not WebAssembly are an error, every time', async () => {
  const cache = new ModuleCache()
  for (let n = 0; n < 2; n++) {
    await expect(cache.getOrCompileModule(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({
      name: 'CompileError',
      code: 'COMPILATION_ERROR',
    })
  }
  expect(cache.cacheStats()).toMatchObject({ size: 0, misses: 2 })
})

it('clearCache forgets, also what is being compiled', async () => {
  const cache = new ModuleCache()
  await cache.getOrCompileModule(wasm('a'))
  const compiling = cache.getOrCompileModule(wasm('b'))
  cache.clearCache()
  await compiling
  expect(cache.cacheStats()).toMatchObject({ size: 0, bytes: 0, keys: [] })
})

it('wrong options are refused', () => {
  expect(() => new ModuleCache({ maxBytes: 0 })).toThrow('maxBytes')
  expect(() => new ModuleCache({ max: 1 } as object)).toThrow('max')
})
