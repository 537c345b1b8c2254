import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { command } from './wat.js'

const FILES = new URL('programs/files.wasm', import.meta.url)
const IN_TXT = '0123456789\n'

const PATH_OPEN = `
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))`

/** Gives the file at `path` as the result, or the errno of opening it as the exit code. */
function show(path: string): Promise<Uint8Array> {
  return command(
    `(i32.store (i32.const 16) (call $path_open (i32.const 3) (i32.const 0) (i32.const 1024)
        (i32.const ${path.length}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 20)))
      (if (i32.load (i32.const 16)) (then (call $proc_exit (i32.load (i32.const 16)))))
      (i32.store (i32.const 0) (i32.const 4096))
      (i32.store (i32.const 4) (i32.const 1000))
      (drop (call $pread (i32.load (i32.const 20)) (i32.const 0) (i32.const 1) (i64.const 0) (i32.const 8)))
      (drop (call $say (i32.const 1) (i32.const 4096) (i32.load (i32.const 8))))`,
    { imports: PATH_OPEN, fields: `(data (i32.const 1024) "${path}")` },
  )
}

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('the files of a WASI command, %s,', (_, runtime) => {
  it('behave as preview 1 says, again in every call', async () => {
    const handler = await runtime.precompileWasi(await readFile(FILES), {
      files: { '/data/in.txt': IN_TXT },
    })
    for (let i = 0; i < 5; i++) {
      const { status, error, logs } = await runtime.executeCompiledHandler(handler, { event: null })
      expect(logs.map(({ message }) => message)).toEqual([])
      expect(error).toBeUndefined()
      expect(status).toBe('success')
    }
  })

  it('are checked by a program that does notice what is wrong', async () => {
    const handler = await runtime.precompileWasi(await readFile(FILES), {
      files: { '/data/in.txt': 'wrong' },
    })
    const { error, logs } = await runtime.executeCompiledHandler(handler, { event: null })
    expect(error?.message).toMatch(/exit code/)
    expect(logs.length).toBeGreaterThan(1)
  })

  it('are those that its caller names, as text or bytes', async () => {
    const files = { '/a/text.json': '"text"', '/bytes.json': Buffer.from('"bytes"') }
    for (const [path, value] of [
      ['a/text.json', 'text'],
      ['bytes.json', 'bytes'],
    ] as const) {
      const handler = await runtime.precompileWasi(await show(path), { files })
      expect(await runtime.executeCompiledHandler(handler, { event: null })).toMatchObject({
        value,
      })
    }
    const other = await runtime.precompileWasi(await show('bytes.json'))
    const { error } = await runtime.executeCompiledHandler(other, { event: null })
    expect(error?.message).toContain('exit code 44')
  })

  it('are never those of the host', async () => {
    for (const path of ['etc/passwd', '../etc/passwd', '/etc/passwd']) {
      const handler = await runtime.precompileWasi(await show(path))
      const { error } = await runtime.executeCompiledHandler(handler, { event: null })
      expect(error?.message).toMatch(/exit code (44|76)/)
    }
  })
})

it.each([
  [{ 'a.txt': '' }, /absolute path/],
  [{ '/../a.txt': '' }, /absolute path/],
  [{ '/a//b': '' }, /absolute path/],
  [{ '/a/': '' }, /absolute path/],
  [{ '/a': '', '/a/b': '' }, /directory of another/],
  [{ '/a': 1 }, /files/],
])('wrong names of files are refused: %j', async (files, message) => {
  const runtime = openRuntime({ threads: 0 })
  await expect(
    runtime.precompileWasi(await command(''), { files: files as Record<string, string> }),
  ).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringMatching(message) })
})

it('500 calls that write files leave nothing behind', async () => {
  const runtime = openRuntime({ threads: 0 })
  const handler = await runtime.precompileWasi(await readFile(FILES), {
    files: { '/data/in.txt': IN_TXT },
  })
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const bytesAfter = async (calls: number) => {
    for (let i = 0; i < calls; i++) await runtime.executeCompiledHandler(handler, { event: null })
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  // What is compiled and pooled once takes its place within the first thousand.
  await bytesAfter(1_000)
  const before = await bytesAfter(100)
  expect((await bytesAfter(500)) - before).toBeLessThan(1024 * 1024)
})
