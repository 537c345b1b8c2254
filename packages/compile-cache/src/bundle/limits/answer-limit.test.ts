import { describe, expect, it } from 'vitest'
import { AnswerLengths } from './answer-limit.js'

const answer = (bytes: number) => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes)
  return Buffer.concat([length, Buffer.alloc(bytes, 0xff)])
}

describe('the length of an answer', () => {
  it.each([1, 2, 3, 4, 5, 7, 64, 10_000])('is found in parts of %i bytes', (part) => {
    const sizes = [0, 1, 5, 300, 0, 70, 2]
    const stream = Buffer.concat(sizes.map(answer))
    const lengths = new AnswerLengths()
    const found: number[] = []
    for (let at = 0; at < stream.length; at += part) {
      found.push(lengths.longestIn(stream.subarray(at, at + part)))
    }
    expect(Math.max(...found)).toBe(300)
    if (part === 1) expect(found.filter((length) => length > 0)).toEqual([1, 5, 300, 70, 2])
  })

  it('is known before the answer has come', () => {
    const [length] = [answer(5).subarray(0, 4)]
    length!.writeUInt32LE(0xffff_fff0)
    expect(new AnswerLengths().longestIn(length!)).toBe(0xffff_fff0)
  })
})
