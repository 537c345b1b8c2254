import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { assemble, command, ECHO } from './wat.js'

const runtime = openRuntime({ threads: 0 })
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

describe('a binary is refused as COMPILATION_ERROR when it is', () => {
  it.each([
    ['empty', [], /got 0 bytes/],
    ['something else', [...Buffer.from('#!/bin/sh\n')], /something else/],
    ['of another version', [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], /version 1 .* got 2/],
    ['cut off', [...HEADER, 1, 50, 1], /not a WebAssembly module/],
    ['broken', [...HEADER, 1, 4, 1, 0x60, 0, 9], /not a WebAssembly module/],
  ])('%s', async (_name, bytes, message) => {
    const refused = runtime.precompileWasi(Uint8Array.from(bytes))
    await expect(refused).rejects.toMatchObject({
      name: 'ExecutorError',
      code: 'COMPILATION_ERROR',
    })
    await expect(refused).rejects.toThrow(message)
  })
})

describe('a module is refused as INVALID_HANDLER when it', () => {
  const start = '(func (export "_start"))'
  const memory = '(memory (export "memory") 1)'

  it.each([
    ['has no _start', memory, /exports no function _start/],
    ['is a reactor', `${memory} (func (export "_initialize"))`, /reactor/],
    ['has a _start of another kind', `${memory} (func (export "_start") (param i32))`, /\(i32\)/],
    ['has no memory', start, /has 0 memories/],
    ['keeps its memory to itself', `(memory 1) ${start}`, /does not export its memory/],
    [
      'imports its memory',
      `(import "env" "memory" (memory 1)) ${start}`,
      /imports env\.memory, expected imports of wasi_snapshot_preview1/,
    ],
    [
      'imports something of Node',
      `(import "env" "abort" (func (param i32 i32 i32 i32))) ${memory} ${start}`,
      /imports env\.abort/,
    ],
    [
      'was built for preview 0',
      `(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32))) ${memory} ${start}`,
      /preview 0/,
    ],
    [
      'imports a function that WASI does not have',
      `(import "wasi_snapshot_preview1" "fork" (func (result i32))) ${memory} ${start}`,
      /fork, which does not exist/,
    ],
    [
      'imports a function with another signature',
      `(import "wasi_snapshot_preview1" "fd_write" (func (param i64))) ${memory} ${start}`,
      /as \(i64\) -> nothing, expected \(i32, i32, i32, i32\) -> i32/,
    ],
    [
      'imports a global',
      `(import "wasi_snapshot_preview1" "fd_write" (global i32)) ${memory} ${start}`,
      /imports the global/,
    ],
  ])('%s', async (_name, fields, message) => {
    const refused = runtime.precompileWasi(await assemble(`(module ${fields})`))
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_HANDLER' })
    await expect(refused).rejects.toThrow(message)
  })

  it('is a component', async () => {
    const component = Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])
    await expect(runtime.precompileWasi(component)).rejects.toThrow(/component .* preview 1/)
  })

  it('uses garbage-collected types or exceptions', async () => {
    // (type (struct)): valid where the engine knows it, broken where it does not.
    const struct = Uint8Array.from([...HEADER, 1, 3, 1, 0x5f, 0])
    await expect(runtime.precompileWasi(struct)).rejects.toThrow(/0x5f|not a WebAssembly module/)
  })

  it('cannot be instantiated', async () => {
    const outside = command('', { fields: '(data (i32.const 65535) "ab")' })
    await expect(runtime.precompileWasi(await outside)).rejects.toMatchObject({
      code: 'EXECUTION_ERROR',
      message: expect.stringContaining('data segment'),
    })
  })
})

describe('precompileFile', () => {
  it('takes a .wasm file, with its options', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nexus-wasi-'))
    try {
      const path = join(directory, 'echo.wasm')
      await writeFile(path, await command(ECHO))
      const handler = await runtime.precompileFile(path, { args: ['-v'] })
      expect(handler).toMatchObject({ kind: 'wasi', filename: 'echo.wasm', inputs: [path] })
      expect(await runtime.executeCompiledHandler(handler, { event: 5 })).toMatchObject({
        value: 5,
      })
      await writeFile(join(directory, 'a.js'), 'export default () => 1')
      await expect(
        runtime.precompileFile(join(directory, 'a.js'), { args: [] }),
      ).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
      await expect(runtime.precompileFile(join(directory, 'b.wasm'))).rejects.toMatchObject({
        code: 'COMPILATION_ERROR',
      })
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('compiles a binary once, by its content', async () => {
    const first = await runtime.precompileWasi(await command('nop nop'))
    const second = await runtime.precompileWasi(await command('nop nop'))
    const other = await runtime.precompileWasi(await command('nop nop'), { args: ['x'] })
    expect(first).toMatchObject({ cacheHit: false, cacheTier: 'none' })
    expect(second).toMatchObject({ cacheHit: true, cacheTier: 'memory', cacheKey: first.cacheKey })
    expect(other.cacheHit).toBe(true)
    expect(other.cacheKey).not.toBe(first.cacheKey)
  })

  it.each([
    [{ args: ['a\0b'] }, /no zero character/],
    [{ args: ['x'.repeat(65_537)] }, /at most 65536 bytes/],
    [{ argv: [] }, /argv/],
  ])('refuses wrong options: %j', async (options, message) => {
    await expect(runtime.precompileWasi(await command(''), options as object)).rejects.toThrow(
      message,
    )
  })
})

it('a module whose code the engine finds wrong is a COMPILATION_ERROR', async () => {
  const binary = await command('(drop (i32.const 77))')
  binary[binary.lastIndexOf(77) - 1] = 0x42 // i64.const
  binary[binary.lastIndexOf(77) + 2] = 0x45 // i32.eqz
  await expect(runtime.precompileWasi(binary)).rejects.toMatchObject({ code: 'COMPILATION_ERROR' })
})
