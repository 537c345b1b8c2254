import { expect, it } from 'vitest'
import { MemoryTier } from './memory-tier.js'

const OVERHEAD = 512
const artifact = (bytes: number) => ({ bytecode: new Uint8Array(bytes) })

it('entries carry when and how often they were used', () => {
  let now = 1000
  const tier = new MemoryTier(10_000, () => now)
  tier.set('k', 'a.js', artifact(10))
  now = 2000
  tier.get('k')
  now = 3000
  expect(tier.get('k')).toMatchObject({ lastAccessed: 3000, accessCount: 3, filename: 'a.js' })
})

it('an entry of exactly the limit is kept, one byte more is not', () => {
  const tier = new MemoryTier(OVERHEAD + 100, Date.now)
  tier.set('fits', 'a.js', artifact(100))
  expect(tier.getStats()).toMatchObject({ entries: 1, bytes: OVERHEAD + 100 })
  tier.set('too big', 'a.js', artifact(101))
  expect(tier.get('too big')).toBeUndefined()
  expect(tier.get('fits')).toBeDefined()
})

it('two entries of exactly the limit are kept, one byte more pushes out the one used longer ago', () => {
  const tier = new MemoryTier(2 * (OVERHEAD + 100), Date.now)
  tier.set('a', 'a.js', artifact(100))
  tier.set('b', 'b.js', artifact(100))
  expect(tier.getStats()).toMatchObject({ entries: 2, evictions: 0 })
  tier.get('a')
  tier.set('c', 'c.js', artifact(1))
  expect(tier.getStats()).toMatchObject({ entries: 2, evictions: 1 })
  expect(tier.get('b')).toBeUndefined()
  expect(tier.get('a')).toBeDefined()
})

it('made smaller it keeps what was used last, made larger it has room', () => {
  const tier = new MemoryTier(3 * (OVERHEAD + 100), Date.now)
  const link = { source: 'a', variant: 'js:a.js' }
  tier.set('a', 'a.js', artifact(100), link)
  tier.set('b', 'b.js', artifact(1))
  tier.set('c', 'c.js', artifact(1))
  tier.get('b')
  tier.resize(OVERHEAD + 99)
  expect(tier.getStats()).toMatchObject({ entries: 1, maxBytes: OVERHEAD + 99 })
  expect(tier.get('b')).toBeDefined()
  expect(tier.getBySource(link)).toBeUndefined()
  tier.resize(3 * (OVERHEAD + 100))
  tier.set('a', 'a.js', artifact(100), link)
  tier.set('c', 'c.js', artifact(100))
  expect(tier.getStats()).toMatchObject({ entries: 3 })
  expect(tier.getBySource(link)).toBeDefined()
})

it('source maps and sources count, two bytes a character', () => {
  const tier = new MemoryTier(10_000, Date.now)
  const link = { source: 'x'.repeat(50), variant: 'js:a.js' }
  tier.set('k', 'a.js', { ...artifact(10), sourceMap: 'm'.repeat(30) }, link)
  expect(tier.getStats().bytes).toBe(OVERHEAD + 10 + 2 * 80)
})

it('a source leads to its entry until the entry is gone', () => {
  const tier = new MemoryTier(OVERHEAD + 100, Date.now)
  const link = { source: 'source', variant: 'js:a.js' }
  tier.set('k', 'a.js', artifact(10), link)
  expect(tier.getBySource(link)?.key).toBe('k')
  expect(tier.getBySource({ ...link, variant: 'js:b.js' })).toBeUndefined()
  tier.set('other', 'b.js', artifact(100))
  expect(tier.getBySource(link)).toBeUndefined()
})

it('an entry set again stays reachable by its source', () => {
  const tier = new MemoryTier(10_000, Date.now)
  const link = { source: 'source', variant: 'js:a.js' }
  tier.set('k', 'a.js', artifact(10), link)
  tier.set('k', 'a.js', artifact(10), link)
  expect(tier.getBySource(link)?.key).toBe('k')
  expect(tier.getStats().entries).toBe(1)
})

it('clear forgets everything and counts no evictions', () => {
  const tier = new MemoryTier(10_000, Date.now)
  const link = { source: 'source', variant: 'js:a.js' }
  tier.set('k', 'a.js', artifact(10), link)
  tier.clear()
  expect(tier.getBySource(link)).toBeUndefined()
  expect(tier.getStats()).toMatchObject({ entries: 0, bytes: 0, evictions: 0 })
})
