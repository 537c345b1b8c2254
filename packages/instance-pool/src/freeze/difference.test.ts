import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { PoolError } from '../errors.js'
import { decodeDifference, encodeDifference } from './difference.js'

const SIZE = 64 * 1024
const whole = [{ start: 0, end: SIZE }]

it('gives back every byte that differs', () => {
  for (let round = 0; round < 200; round++) {
    const reference = Buffer.alloc(SIZE)
    for (let n = 0; n < round; n++) reference[(n * 7919) % SIZE] = n
    const memory = Buffer.from(reference)
    for (let n = 0; n < round; n++) memory[(n * n * 31 + round) % SIZE]! ^= 1 + (n % 255)
    const copy = Buffer.from(reference)
    for (const { offset, bytes } of decodeDifference(
      encodeDifference(memory, reference, whole),
      SIZE,
    )) {
      copy.set(bytes, offset)
    }
    expect(copy.equals(memory)).toBe(true)
  }
})

it('leaves out what is in none of the ranges', () => {
  const memory = Buffer.alloc(SIZE, 1)
  const ranges = [
    { start: 64, end: 128 },
    { start: 32_768, end: 32_800 },
  ]
  const runs = decodeDifference(encodeDifference(memory, Buffer.alloc(SIZE), ranges), SIZE)
  expect(runs.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
    [64, 64],
    [32_768, 32],
  ])
})

it('refuses bytes that it would not write, and never reaches outside: 30,000 times', () => {
  const memory = Buffer.alloc(SIZE)
  for (let n = 0; n < 40; n++) memory[n * 1500] = 1
  const encoded = encodeDifference(memory, Buffer.alloc(SIZE), whole)
  for (let round = 0; round < 30_000; round++) {
    let bytes = Buffer.from(encoded)
    if (round % 3 === 0) bytes[round % bytes.length]! ^= 1 << (round % 8)
    else if (round % 3 === 1) bytes = bytes.subarray(0, round % bytes.length)
    else bytes = randomBytes(1 + (round % 100))
    try {
      for (const { offset, bytes: run } of decodeDifference(bytes, SIZE)) {
        expect(offset >= 0 && run.length > 0 && offset + run.length <= SIZE).toBe(true)
      }
    } catch (error) {
      expect(error).toBeInstanceOf(PoolError)
    }
  }
})
