import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ImageSealer, imageKeySchema } from './image-sealer.js'

const key = randomBytes(32)
const PLACE = 'f3b9'

/** A small generator, so that a failure can be repeated. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state
  }
}

describe.each([
  ['with a key', { current: key }],
  ['without a key', undefined],
])('an image that is sealed %s', (_name, keys) => {
  const sealer = new ImageSealer(keys)
  const images = Array.from({ length: 8 }, (_, n) => randomBytes(300 + n * 40))
  const sealed = images.map((image) => sealer.seal(image, PLACE))
  const isRefused = (bytes: Uint8Array, place = PLACE) => 'refused' in sealer.open(bytes, place)

  it('opens as what it was', () => {
    for (const [n, image] of images.entries()) {
      expect((sealer.open(sealed[n]!, PLACE) as Buffer).equals(image)).toBe(true)
    }
  })

  it('is refused in another place', () => {
    expect(isRefused(sealed[0]!, 'f3ba')).toBe(true)
  })

  it('is refused when it is flipped, cut, longer or spliced: 30,000 times', () => {
    const random = numbers(7)
    const below = (n: number) => random.next().value % n
    let refused = 0
    for (let round = 0; round < 30_000; round++) {
      const one = sealed[below(sealed.length)]!
      let bytes = Buffer.from(one)
      const kind = round % 4
      if (kind === 0) bytes[below(bytes.length)]! ^= 1 << below(8)
      else if (kind === 1) bytes = bytes.subarray(0, below(bytes.length))
      else if (kind === 2) bytes = Buffer.concat([bytes, randomBytes(1 + below(40))])
      else {
        const other = sealed[below(sealed.length)]!
        const at = 1 + below(Math.min(one.length, other.length) - 1)
        bytes = Buffer.concat([one.subarray(0, at), other.subarray(at)])
        if (sealed.some((image) => image.equals(bytes))) bytes[at]! ^= 1
      }
      if (isRefused(bytes)) refused++
    }
    expect(refused).toBe(30_000)
  })
})

it('keeps what it seals from those without the key', () => {
  const secret = 'hunter-22-hunter-22'
  const sealed = new ImageSealer({ current: key }).seal(Buffer.from(secret), PLACE)
  expect(sealed.includes(secret)).toBe(false)
  expect(new ImageSealer({ current: randomBytes(32) }).open(sealed, PLACE)).toMatchObject({
    refused: expect.stringMatching(/encrypted with a key that is not among those/),
  })
})

it('opens what an earlier key sealed, and refuses what no key sealed', () => {
  const old = new ImageSealer({ current: key }).seal(Buffer.from('old'), PLACE)
  const rotated = new ImageSealer({ current: randomBytes(32).toString('hex'), previous: [key] })
  expect(String(rotated.open(old, PLACE))).toBe('old')
  const plain = new ImageSealer(undefined).seal(Buffer.from('plain'), PLACE)
  expect(rotated.open(plain, PLACE)).toMatchObject({
    refused: expect.stringMatching(/not encrypted/),
  })
})

it('takes keys of 32 bytes, and shows none in a message', () => {
  for (const good of [key, key.toString('hex'), key.toString('base64')]) {
    expect(imageKeySchema.safeParse({ current: good }).success).toBe(true)
  }
  for (const bad of ['hunter-22', randomBytes(31), 7, undefined]) {
    const { error } = imageKeySchema.safeParse({ current: bad })
    expect(error?.message).toMatch(/expected 32 bytes/)
    expect(error?.message).not.toContain('hunter')
  }
})
