import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { dataSegments, joinDataSegments } from './shared-library.js'

const url = readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/url.so'))

it('joins the data segments into one with the same bytes in the same places', () => {
  const before = dataSegments(url)
  expect(before.length).toBeGreaterThan(1)
  const joined = joinDataSegments(url)
  const after = dataSegments(joined)
  expect(after).toHaveLength(1)
  expect(after[0]!.offset).toBe(0)
  for (const { offset, bytes } of before) {
    const there = after[0]!.bytes.subarray(offset, offset + bytes.length)
    expect(Buffer.compare(there, bytes)).toBe(0)
  }
})

it('gives a library that every engine takes', () => {
  expect(WebAssembly.validate(new Uint8Array(joinDataSegments(url)))).toBe(true)
})

it('refuses a library whose data is not placed at a base', () => {
  const wrong = Buffer.from(url)
  const at = wrong.lastIndexOf(Buffer.from([0x6a, 0x0b]))
  wrong[at] = 0x6b
  expect(() => joinDataSegments(wrong)).toThrow(/not placed at a base plus a constant/)
})
