import { ExecutorError, type WasiHandler } from '@nexus/executor'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BinaryReader } from '../../src/wasi/module/binary-reader.js'
import { openRuntime } from '../runtimes.js'
import { command, ECHO } from '../wasi/wat.js'

const runtime = openRuntime({ threads: 1, timeoutMs: 5_000 })

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** LEB128. */
function integer(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...integer(Math.floor(value / 128))]
}

function section(id: number, ...content: (Uint8Array | number[])[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Uint8Array.from(part)))
  return Buffer.concat([Uint8Array.from([id, ...integer(bytes.length)]), bytes])
}

const times = (count: number, part: number[]) =>
  Buffer.concat(new Array(count).fill(Uint8Array.from(part)))
const name = (text: string) => [...integer(text.length), ...Buffer.from(text)]

interface Parts {
  types?: Buffer
  imports?: Buffer
  functions?: Buffer
  code?: Buffer
  before?: Buffer
}

/** A command that does nothing, with some of its sections replaced. */
function moduleOf({ types, imports, functions, code, before }: Parts): Uint8Array {
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.from(HEADER),
      before ?? Buffer.alloc(0),
      types ?? section(1, [1, 0x60, 0, 0]),
      imports ?? Buffer.alloc(0),
      functions ?? section(3, [1, 0]),
      section(5, [1, 0, 1]),
      section(7, [2], name('_start'), [0, 0], name('memory'), [2, 0]),
      code ?? section(10, [1, 2, 0, 0x0b]),
    ]),
  )
}

const bodyOf = (code: Buffer) => section(10, [1], integer(code.length + 2), [0], code, [0x0b])

/** Binaries of which each part that a reader goes through is there a great many times. */
const LARGE: Record<string, Uint8Array> = {
  instructions: moduleOf({ code: bodyOf(Buffer.alloc(2_000_000, 1)) }),
  'memory.grow': moduleOf({ code: bodyOf(times(200_000, [0x41, 0, 0x40, 0, 0x1a])) }),
  functions: moduleOf({
    functions: section(3, integer(200_000), Buffer.alloc(200_000)),
    code: section(10, integer(200_000), times(200_000, [2, 0, 0x0b])),
  }),
  'types with a thousand values': moduleOf({
    types: section(
      1,
      integer(5_001),
      [0x60, 0, 0],
      times(5_000, [0x60, ...integer(1_000), ...new Array(1_000).fill(0x7f), 0]),
    ),
  }),
  'custom sections': moduleOf({ before: times(100_000, [0, 2, 1, 65]) }),
  imports: moduleOf({
    imports: section(2, integer(50_000), times(50_000, [...name('env'), ...name('x'), 0, 0])),
  }),
  'counts without items': moduleOf({
    types: section(1, integer(2 ** 32 - 1), Buffer.alloc(200_000, 0x60)),
  }),
  'sections that are cut off': moduleOf({ code: section(10, integer(100_000)) }).subarray(0, 60),
}

async function endOf(binary: Uint8Array): Promise<unknown> {
  let compiled: WasiHandler
  try {
    compiled = await runtime.precompileWasi(binary)
  } catch (error) {
    expect(error).toBeInstanceOf(ExecutorError)
    expect([
      'COMPILATION_ERROR',
      'INVALID_HANDLER',
      'MEMORY_LIMIT',
      'RESOURCE_LIMIT',
      'TIMEOUT',
      'EXECUTION_ERROR',
    ]).toContain((error as ExecutorError).code)
    expect((error as Error).message.length).toBeLessThan(1_000)
    return (error as ExecutorError).code
  }
  const { status } = await runtime.executeCompiledHandler(compiled, { event: null }, 2_000)
  return status
}

async function expectHonest(): Promise<void> {
  const echo = await runtime.precompileWasi(await command(ECHO))
  const { value, error } = await runtime.executeCompiledHandler(echo, { event: { n: 1 } })
  expect([error, value]).toEqual([undefined, { n: 1 }])
}

describe('a hostile binary', () => {
  it.each(Object.entries(LARGE))(
    'of many %s costs the host’s thread no look at its bytes, and harms no other',
    async (_what, binary) => {
      const reads = (['byte', 'skip'] as const).map((method) =>
        vi.spyOn(BinaryReader.prototype, method),
      )
      onTestFinished(() => {
        for (const spy of reads) spy.mockRestore()
      })
      await endOf(binary)
      const looks = reads.reduce((sum, { mock }) => sum + mock.calls.length, 0)
      expect(looks).toBeLessThanOrEqual(64 * 1024)
      await expectHonest()
    },
  )

  it('is said to be wrong in a short text, however long its names are', async () => {
    const imports = section(2, [1], name('e'.repeat(90_000)), name('x'.repeat(90_000)), [0, 0])
    await expect(runtime.precompileWasi(moduleOf({ imports }))).rejects.toMatchObject({
      code: 'INVALID_HANDLER',
      message: expect.stringMatching(/^.{1,400}$/s),
    })
  })

  it('leaves the bytes that an embedder handed over as they were', async () => {
    const binary = moduleOf({ code: bodyOf(Buffer.alloc(100_000, 1)) })
    const before = Buffer.from(binary)
    await runtime.precompileWasi(binary)
    expect(before.equals(binary)).toBe(true)
  })

  it('that was changed in any byte is refused, or is a command that ends', async () => {
    const original = await command(ECHO, {
      fields:
        '(table 3 funcref) (global $g (mut i32) (i32.const 0)) (func $more (drop (memory.grow (i32.const 1))))',
    })
    let seed = 11
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    const ends = new Set<unknown>()
    for (let round = 0; round < 400; round++) {
      const changed = Uint8Array.from(original)
      for (let i = 0; i <= next(3); i++) changed[8 + next(changed.length - 8)] = next(256)
      const cut = next(4) === 0 ? changed.subarray(0, 8 + next(changed.length - 8)) : changed
      ends.add(await endOf(cut))
    }
    expect(ends).toContain('COMPILATION_ERROR')
    await expectHonest()
  }, 60_000)
})
