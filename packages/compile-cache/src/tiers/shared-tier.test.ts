import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { Sealer } from './seal.js'
import { type SharedTier, SharedTierClient } from './shared-tier.js'

const sealer = await Sealer.create('engine@1', 'a secret of 16 bytes')
const key = createHash('sha256').update('a').digest('hex')
const artifact = { bytecode: new Uint8Array([1, 2, 3]), sourceMap: '{"a":"é"}' }

function mapTier() {
  const map = new Map<string, Uint8Array>()
  const tier: SharedTier = {
    get: async (name) => map.get(name),
    put: async (name, bytes) => {
      map.set(name, bytes)
    },
  }
  return { map, tier }
}

function openClient(tier: SharedTier, timeoutMs = 10_000) {
  const time = { now: 0 }
  const troubles: string[] = []
  const client = new SharedTierClient({
    tier,
    sealer,
    timeoutMs,
    clock: () => time.now,
    onTrouble: (message) => troubles.push(message),
  })
  return { client, time, troubles }
}

it.each([artifact, { bytecode: artifact.bytecode }])('an artifact comes back', async (stored) => {
  const { client } = openClient(mapTier().tier)
  expect(await client.read(key)).toBeUndefined()
  client.write(key, stored)
  await client.flush()
  expect(await client.read(key)).toEqual(stored)
  expect(client.getStats()).toEqual({ hits: 1, misses: 1, rejected: 0, puts: 1, failures: 0 })
})

it('damaged, cut, extended or foreign bytes are misses', async () => {
  const { map, tier } = mapTier()
  const { client } = openClient(tier)
  client.write(key, artifact)
  await client.flush()
  const good = Buffer.from(map.get(key)!)
  for (const bad of [
    good.subarray(0, good.length - 1),
    good.subarray(0, 139),
    Buffer.concat([good, Buffer.from([0])]),
    Buffer.from(good).fill(0, 137, 138),
    Buffer.alloc(0),
    Buffer.from('not sealed at all'),
    'a string' as unknown as Buffer,
  ]) {
    map.set(key, bad)
    expect(await client.read(key)).toBeUndefined()
  }
  expect(client.getStats()).toMatchObject({ hits: 0, rejected: 7 })
})

it('a failing tier is a miss, told, and left alone for five seconds', async () => {
  let calls = 0
  const { client, time, troubles } = openClient({
    get: async () => {
      calls++
      throw new Error('connection refused')
    },
    put: async () => {
      throw new Error('connection refused')
    },
  })
  expect(await client.read(key)).toBeUndefined()
  expect(await client.read(key)).toBeUndefined()
  expect(calls).toBe(1)
  time.now = 4999
  await client.read(key)
  expect(calls).toBe(1)
  time.now = 5000
  await client.read(key)
  expect(calls).toBe(2)
  time.now = 10_000
  client.write(key, artifact)
  await client.flush()
  expect(client.getStats()).toMatchObject({ failures: 3, puts: 0 })
  expect(troubles[0]).toContain('connection refused')
})

it('a tier that throws at once is a miss', async () => {
  const { client } = openClient({
    get: () => {
      throw new Error('bug')
    },
    put: () => {
      throw new Error('bug')
    },
  })
  expect(await client.read(key)).toBeUndefined()
  expect(client.getStats().failures).toBe(1)
})

it('a tier that never answers is given up on', async () => {
  const { client, troubles } = openClient(
    { get: () => new Promise(() => {}), put: () => new Promise(() => {}) },
    5,
  )
  expect(await client.read(key)).toBeUndefined()
  expect(troubles[0]).toContain('no answer within 5 ms')
})

it.each<[string, unknown]>([
  ['null', null],
  ['an object without a prototype', Object.create(null)],
  ['an object whose toString is null', { toString: null }],
  ['a symbol', Symbol('s')],
])('a tier that throws %s is a miss like any other', async (_what, thrown) => {
  const { client, troubles } = openClient({
    get: async () => {
      throw thrown
    },
    put: async () => {
      throw thrown
    },
  })
  expect(await client.read(key)).toBeUndefined()
  expect(troubles).toHaveLength(1)
  client.write(key, artifact)
  await client.flush()
})
