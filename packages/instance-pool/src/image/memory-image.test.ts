import { describe, expect, it } from 'vitest'
import {
  copyPages,
  diffMemory,
  PAGE_BYTES,
  pagesOf,
  runsByteLength,
  usedPages,
  writeRuns,
  zeroPages,
} from './memory-image.js'

function memoryWith(...pages: number[]): Buffer {
  const memory = Buffer.alloc(8 * PAGE_BYTES)
  for (const page of pages) memory.fill(page + 1, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  return memory
}

describe('the pages in use', () => {
  it('are those with any byte that is not zero', () => {
    const memory = memoryWith(1, 2)
    memory[7 * PAGE_BYTES - 1] = 1
    expect(usedPages(memory)).toEqual([1, 2, 6])
  })

  it('are copied as one run where they are neighbours', () => {
    const runs = copyPages(memoryWith(1, 2, 5), [1, 2, 5])
    expect(
      runs.map(({ offset, bytes }) => [offset / PAGE_BYTES, bytes.length / PAGE_BYTES]),
    ).toEqual([
      [1, 2],
      [5, 1],
    ])
    expect([...pagesOf(runs)]).toEqual([1, 2, 5])
  })

  it('are copies that do not follow the memory', () => {
    const memory = memoryWith(1)
    const [run] = copyPages(memory, [1])
    memory.fill(0)
    expect(run?.bytes[0]).toBe(2)
  })
})

describe('the difference to a base', () => {
  it('is nothing when nothing changed', () => {
    const memory = memoryWith(1, 3)
    expect(diffMemory(memory, copyPages(memory, [1, 3]))).toEqual([])
  })

  it('restores the memory when it is written over the base', () => {
    const base = memoryWith(1, 3)
    const runs = copyPages(base, [1, 3])
    const changed = Buffer.from(base)
    changed[PAGE_BYTES] = 99
    changed[PAGE_BYTES + 5000] = 7
    changed.fill(0, 3 * PAGE_BYTES, 3 * PAGE_BYTES + 300)
    changed[8 * PAGE_BYTES - 1] = 1
    const diff = diffMemory(changed, runs)

    const restored = Buffer.alloc(base.length)
    writeRuns(restored, runs)
    writeRuns(restored, diff)
    expect(restored.equals(changed)).toBe(true)
  })

  it('holds little more than what changed', () => {
    const memory = memoryWith(1)
    const runs = copyPages(memory, [1])
    memory[PAGE_BYTES + 64] = 0
    expect(runsByteLength(diffMemory(memory, runs))).toBe(128)
  })
})

it('zeroes the pages it is given and no others', () => {
  const memory = memoryWith(0, 1, 2, 7)
  zeroPages(memory, [0, 2, 3, 4, 5, 6, 7])
  expect(usedPages(memory)).toEqual([1])
})
