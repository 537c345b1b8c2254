import { expect, it } from 'vitest'
import { PARTS } from './parts.js'
import { partsOf } from './parts-of.js'

const WORDS = Object.entries(PARTS).flatMap(([part, { globals }]) =>
  globals.map((word) => ({ word, part })),
)

it.each(WORDS)('$word is found as the last word of the code', ({ word, part }) => {
  expect([...partsOf(Buffer.from(`(${word}`))]).toContain(part)
})

it.each(WORDS)('code that ends within $word names no part by it', ({ word }) => {
  for (let length = 1; length < word.length; length++) {
    const cut = word.slice(0, length)
    const isWord = WORDS.some((other) => other.word === cut)
    if (!isWord) expect([...partsOf(Buffer.from(`(${cut}`))]).toEqual([])
  }
})
