import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WasmRuntime, type WasmRuntimeOptions } from '@nexus/executor'
import { expect, it, onTestFinished } from 'vitest'

async function directory(): Promise<string> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'nexus-runtime-cache-'))
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true }))
  return cacheDir
}

function runtimeWith(options: WasmRuntimeOptions): WasmRuntime {
  const runtime = new WasmRuntime({ threads: 0, ...options })
  onTestFinished(() => runtime.shutdown())
  return runtime
}

/** A command that does nothing: (module (memory (export "memory") 1) (func (export "_start"))). */
const COMMAND = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1],
  ...[7, 19, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 6, 95, 115, 116, 97, 114, 116, 0, 0],
  ...[10, 4, 1, 2, 0, 11],
])

const source = (n: number) => `export default () => ${n}`

it('tells hits, entries, bytes and evictions by tier, and how often each entry was asked for', async () => {
  const runtime = runtimeWith({ cacheDir: await directory() })
  expect(runtime.getStats().cacheHitRate).toBe(0)
  await runtime.precompileHandler(source(1), { filename: 'one.js', functionName: 'one' })
  await runtime.precompileHandler(source(1), { filename: 'one.js' })
  await runtime.precompileWasi(COMMAND)
  await runtime.precompileWasi(COMMAND)
  const { handlers, modules, cacheHitRate } = runtime.cache.getStats()
  expect(handlers).toMatchObject({
    ...{ compiles: 1, cacheHitRate: 0.5 },
    memory: { entries: 1, hits: 1, misses: 1, evictions: 0, maxBytes: expect.any(Number) },
    disk: { hits: 0, misses: 1 },
  })
  expect(modules).toMatchObject({ size: 1, hits: 1, misses: 1, hitRate: 0.5 })
  expect(cacheHitRate).toBe(0.5)
  expect(runtime.getStats()).toMatchObject({ cacheHitRate: 0.5 })
  const { handlers: kept, modules: keptModules } = runtime.cache.list()
  expect(kept).toMatchObject([{ filename: 'one.js', accessCount: 2 }])
  expect(kept[0]!.bytes).toBe(handlers.memory.bytes)
  expect(keptModules).toMatchObject([{ accessCount: 2, bytes: modules.bytes }])
  expect(Date.now() - keptModules[0]!.lastAccessedMs).toBeLessThan(60_000)
})

it('the size of the module cache is an option', async () => {
  const runtime = runtimeWith({ cacheDir: false, maxModuleBytes: 1 })
  await runtime.precompileWasi(COMMAND)
  await runtime.precompileWasi(COMMAND)
  expect(runtime.cache.getStats().modules).toMatchObject({ maxBytes: 1, size: 0, misses: 2 })
})

it('what the disk holds from before is measured, pruned by size or age, and cleared', async () => {
  const cacheDir = await directory()
  const files = async () => (await readdir(cacheDir)).length
  const before = new WasmRuntime({ threads: 0, cacheDir })
  for (let n = 0; n < 5; n++) await before.precompileHandler(source(n))
  await before.shutdown()
  expect(await files()).toBe(5)

  const runtime = runtimeWith({ cacheDir })
  await runtime.cache.measure()
  const { disk } = runtime.cache.getStats().handlers
  expect(disk).toMatchObject({ entries: 5 })
  expect(await runtime.cache.prune()).toEqual({ entries: 0, bytes: 0 })
  expect(await runtime.cache.prune({ unusedForMs: 3_600_000 })).toEqual({ entries: 0, bytes: 0 })
  const half = Math.floor(disk!.bytes / 2)
  const pruned = await runtime.cache.prune({ maxBytes: half })
  expect(pruned.entries).toBe(3)
  expect(runtime.cache.getStats().handlers.disk).toMatchObject({
    ...{ entries: 2, bytes: disk!.bytes - pruned.bytes },
  })
  expect(await files()).toBe(2)
  expect((await runtime.cache.prune({ unusedForMs: 0 })).entries).toBeGreaterThanOrEqual(0)
  await expect(runtime.cache.prune({ maxBytes: -1 })).rejects.toThrow('maxBytes')

  await runtime.precompileHandler(source(9))
  await runtime.cache.clear()
  expect(await files()).toBe(0)
  expect(runtime.cache.list()).toEqual({ handlers: [], modules: [] })
  expect((await runtime.precompileHandler(source(9))).cacheTier).toBe('none')
})

it('each compilation is a figure of its function, by where the code came from', async () => {
  const cacheDir = await directory()
  const first = new WasmRuntime({ threads: 0, cacheDir })
  await first.precompileHandler(source(1), { functionName: 'total' })
  expect(first.getPrometheusMetrics()).toContain(
    'nexus_compile_duration_seconds_count{function="total",cache_tier="none"} 1\n',
  )
  await first.shutdown()
  const second = runtimeWith({ cacheDir })
  await second.precompileHandler(source(1), { functionName: 'total' })
  await second.precompileHandler(source(1), { functionName: 'total' })
  const text = second.getPrometheusMetrics()
  expect(text).toContain('_count{function="total",cache_tier="disk"} 1\n')
  expect(text).toContain('_count{function="total",cache_tier="memory"} 1\n')
})
