import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { resolveOptions } from './options.js'

const MiB = 1024 * 1024

it('the defaults are as documented', () => {
  expect(resolveOptions({}, {})).toMatchObject({
    cacheDir: '.nexus-cache',
    maxCacheSizeBytes: 512 * MiB,
    maxMemoryBytes: 64 * MiB,
    version: '',
    sharedTimeoutMs: 250,
    rootDir: resolve('.'),
    offloadLength: 65_536,
    maxSourceLength: 8 * MiB,
    compileMemoryLimitBytes: 256 * MiB,
    compileTimeoutMs: 10_000,
    clock: Date.now,
  })
})

it('the environment wins over defaults, and options win over the environment', () => {
  const env = { CACHE_DIR: '/env', MAX_CACHE_SIZE_BYTES: '1000' }
  expect(resolveOptions({}, env)).toMatchObject({ cacheDir: '/env', maxCacheSizeBytes: 1000 })
  expect(resolveOptions({ cacheDir: '/own', maxCacheSizeBytes: 5 }, env)).toMatchObject({
    cacheDir: '/own',
    maxCacheSizeBytes: 5,
  })
  expect(resolveOptions({ cacheDir: undefined }, env)).toMatchObject({ cacheDir: '/env' })
  expect(resolveOptions({ cacheDir: false }, env)).toMatchObject({ cacheDir: false })
  expect(resolveOptions({}, { CACHE_DIR: '' })).toMatchObject({ cacheDir: '.nexus-cache' })
})

it.each(['0', '-1', '1e6', '12MB', ' '])('MAX_CACHE_SIZE_BYTES=%j is refused', (value) => {
  expect(() => resolveOptions({}, { MAX_CACHE_SIZE_BYTES: value })).toThrow(
    `MAX_CACHE_SIZE_BYTES: expected a whole number of bytes above 0, got "${value}"`,
  )
})

it.each([
  [{ cachDir: 'x' }, 'cachDir'],
  [{ maxMemoryBytes: 0 }, 'maxMemoryBytes'],
  [{ maxMemoryBytes: 1.5 }, 'maxMemoryBytes'],
  [{ maxCacheSizeBytes: '5' }, 'maxCacheSizeBytes'],
  [{ offloadLength: -1 }, 'offloadLength'],
  [{ secret: 'short' }, 'secret'],
  [{ secret: 'long enough to be one', sharedTier: { get: 1 } }, 'sharedTier'],
  [{ clock: 5 }, 'clock'],
])('%j is refused by name', (options, name) => {
  expect(() => resolveOptions(options as object, {})).toThrow(name)
})

it('a shared tier without a secret is refused', () => {
  const sharedTier = { get: async () => undefined, put: async () => {} }
  expect(() => resolveOptions({ sharedTier }, {})).toThrow('a sharedTier needs a secret')
  expect(resolveOptions({ sharedTier, secret: 'x'.repeat(16) }, {}).sharedTier).toBe(sharedTier)
  expect(() => resolveOptions({ sharedTier, secret: 'x'.repeat(15) }, {})).toThrow('16 bytes')
})
