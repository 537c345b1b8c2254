import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type SealedKind, Sealer } from './seal.js'

const key = createHash('sha256').update('a').digest('hex')
const otherKey = createHash('sha256').update('b').digest('hex')
const payload = new Uint8Array(randomBytes(300))
const secret = 'a secret of 16 bytes or more'

const open = (sealer: Sealer, file: Uint8Array, kind: SealedKind = 'bytecode', as = key) =>
  sealer.open(kind, as, file)

describe.each([
  ['without a secret', undefined],
  ['with a secret', secret],
])('a file sealed %s', async (_name, secretOrNot) => {
  const sealer = await Sealer.create('engine@1', secretOrNot)
  const file = sealer.seal('bytecode', key, payload, true)

  it('opens to the payload it was sealed with', () => {
    expect(open(sealer, file)).toEqual({ payload, hasSourceMap: true })
    expect(Sealer.lengthOf(Buffer.concat([file, file]))).toBe(file.byteLength)
  })

  it('gives the payload a buffer of its own', () => {
    expect(open(sealer, file)?.payload.buffer.byteLength).toBe(payload.byteLength)
  })

  it('opens when empty', () => {
    expect(open(sealer, sealer.seal('bytecode', key, new Uint8Array()))?.payload).toHaveLength(0)
  })

  it('does not open under another key, kind or engine', async () => {
    expect(open(sealer, file, 'bytecode', otherKey)).toBeUndefined()
    expect(open(sealer, file, 'source-map')).toBeUndefined()
    expect(open(await Sealer.create('engine@2', secretOrNot), file)).toBeUndefined()
  })

  it('does not open with a bit flipped anywhere', () => {
    for (let bit = 0; bit < file.byteLength * 8; bit++) {
      const damaged = Buffer.from(file)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(open(sealer, damaged)).toBeUndefined()
    }
  })

  it('does not open at any other length', () => {
    for (let length = 0; length < file.byteLength; length++) {
      expect(open(sealer, file.subarray(0, length))).toBeUndefined()
    }
    expect(open(sealer, Buffer.concat([file, Buffer.alloc(1)]))).toBeUndefined()
  })
})

it('a file does not open with another secret, without one, or with one that it lacks', async () => {
  const plain = await Sealer.create('engine@1', undefined)
  const keyed = await Sealer.create('engine@1', secret)
  const otherwise = await Sealer.create('engine@1', 'another secret of 16 bytes')
  const sealed = keyed.seal('bytecode', key, payload)
  expect(open(plain, sealed)).toBeUndefined()
  expect(open(otherwise, sealed)).toBeUndefined()
  expect(open(keyed, plain.seal('bytecode', key, payload))).toBeUndefined()
})

it('a forger who fixes the checksum still lacks the secret', async () => {
  const plain = await Sealer.create('engine@1', undefined)
  const keyed = await Sealer.create('engine@1', secret)
  const forged = plain.seal('bytecode', key, randomBytes(300))
  forged[6] = 2
  const checksummed = await resealChecksum(forged)
  expect(open(keyed, checksummed)).toBeUndefined()
})

it('100,000 random corruptions are never opened and never throw', async () => {
  const sealer = await Sealer.create('engine@1', undefined)
  const files = [0, 1, 40, 900].map((size) =>
    sealer.seal('bytecode', key, randomBytes(size), size > 40),
  )
  const random = randomSequence(20_261_120)
  let opened = 0
  for (let n = 0; n < 100_000; n++) {
    const original = files[n % files.length]!
    const damaged = corrupt(original, random)
    if (damaged.equals(original)) continue
    if (open(sealer, damaged)) opened++
  }
  expect(opened).toBe(0)
})

async function resealChecksum(file: Buffer): Promise<Buffer> {
  const { default: xxhash } = await import('xxhash-wasm')
  const { h64Raw } = await xxhash()
  file.writeBigUInt64LE(h64Raw(file.subarray(136), h64Raw(file.subarray(0, 96))), 96)
  return file
}

/** Flip, overwrite, cut, extend, repeat or shuffle pieces of a file. */
function corrupt(original: Buffer, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(original)
  const at = random(bytes.length)
  switch (random(6)) {
    case 0:
      bytes[at]! ^= 1 + random(255)
      return bytes
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes, Buffer.alloc(1 + random(64), random(256))])
    case 3:
      return bytes.fill(random(256), at, Math.min(bytes.length, at + 1 + random(64)))
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))])
    default: {
      for (let n = random(32); n >= 0; n--) bytes[random(bytes.length)] = random(256)
      return bytes
    }
  }
}

/** The same numbers on every run, so that a failure can be repeated. */
function randomSequence(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
