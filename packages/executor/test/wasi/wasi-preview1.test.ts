import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { command } from './wat.js'

const runtime = openRuntime({ threads: 0 })

const SIGNATURES: Record<string, string> = {
  args_get: '(param i32 i32)',
  args_sizes_get: '(param i32 i32)',
  clock_res_get: '(param i32 i32)',
  clock_time_get: '(param i32 i64 i32)',
  environ_get: '(param i32 i32)',
  fd_close: '(param i32)',
  fd_fdstat_get: '(param i32 i32)',
  fd_filestat_get: '(param i32 i32)',
  fd_prestat_get: '(param i32 i32)',
  fd_renumber: '(param i32 i32)',
  fd_seek: '(param i32 i64 i32 i32)',
  poll_oneoff: '(param i32 i32 i32 i32)',
  proc_raise: '(param i32)',
  random_get: '(param i32 i32)',
  sched_yield: '',
  sock_accept: '(param i32 i32 i32)',
  sock_shutdown: '(param i32 i32)',
}
const FAR = 0xfffffff0

/** Runs `before`, calls one function, and ends with its errno; then `after` decides about success. */
async function errnoOf(name: string, args: string[], before = '', after = ''): Promise<number> {
  const signature = SIGNATURES[name]
  const imports = `(import "wasi_snapshot_preview1" "${name}" (func $asked ${signature} (result i32)))`
  const main = `${before} (i32.store (i32.const 16) (call $asked ${args.map((arg) => `(${arg})`).join(' ')}))
    ${after} (call $proc_exit (i32.load (i32.const 16)))`
  const handler = await runtime.precompileWasi(await command(main, { imports }))
  const { error } = await runtime.executeCompiledHandler(handler, { event: null })
  return error ? Number(/exit code (\d+)/.exec(error.message)?.[1] ?? Number.NaN) : 0
}

const numbers = (...values: number[]) => values.map((value) => `i32.const ${value}`)

it.each([
  ['clock_res_get', numbers(0, 64), 0],
  ['clock_res_get', numbers(9, 64), 28],
  ['clock_res_get', numbers(0, FAR), 21],
  ['clock_time_get', ['i32.const 1', 'i64.const 1', 'i32.const 64'], 0],
  ['clock_time_get', ['i32.const 3', 'i64.const 1', 'i32.const 64'], 0],
  ['clock_time_get', ['i32.const -1', 'i64.const 1', 'i32.const 64'], 28],
  ['clock_time_get', ['i32.const 0', 'i64.const 1', `i32.const ${FAR}`], 21],
  ['random_get', numbers(64, 1000), 0],
  ['random_get', numbers(64, 0), 0],
  ['random_get', numbers(65_000, 1000), 21],
  ['args_get', numbers(FAR, 64), 21],
  ['args_sizes_get', numbers(64, FAR), 21],
  ['environ_get', numbers(64, 128), 0],
  ['sched_yield', [], 0],
  ['proc_raise', numbers(9), 58],
  ['fd_fdstat_get', numbers(1, 64), 0],
  ['fd_fdstat_get', numbers(77, 64), 8],
  ['fd_filestat_get', numbers(0, FAR), 21],
  ['fd_prestat_get', numbers(3, 64), 0],
  ['fd_prestat_get', numbers(4, 64), 8],
  ['fd_renumber', numbers(1, 2), 0],
  ['fd_renumber', numbers(1, 77), 8],
  ['fd_close', numbers(99), 8],
  ['fd_seek', ['i32.const 2', 'i64.const 0', 'i32.const 0', 'i32.const 64'], 70],
  ['sock_accept', numbers(0, 0, 64), 57],
  ['sock_shutdown', numbers(88, 0), 8],
  ['poll_oneoff', numbers(64, 256, 0, 512), 28],
  ['poll_oneoff', numbers(64, 256, 0x7fffffff, 512), 21],
])('%s(%j) answers %i', async (name, args, errno) => {
  expect(await errnoOf(name, args)).toBe(errno)
})

const subscribe = (at: number, userdata: number, tag: number, clock = 0, timeoutNs = 0) => `
  (i64.store (i32.const ${at}) (i64.const ${userdata}))
  (i32.store8 (i32.const ${at + 8}) (i32.const ${tag}))
  (i32.store (i32.const ${at + 16}) (i32.const ${clock}))
  (i64.store (i32.const ${at + 24}) (i64.const ${timeoutNs}))`
const expectEqual = (load: string, value: number) =>
  `(if (i32.ne ${load} (i32.const ${value})) (then unreachable))`

it('poll_oneoff sleeps until the first clock, and tells which', async () => {
  const twoClocks = subscribe(1024, 7, 0, 1, 1e12) + subscribe(1072, 8, 0, 1, 1e6)
  const after = [
    expectEqual('(i32.load (i32.const 4096))', 1),
    expectEqual('(i32.load (i32.const 2048))', 8),
    expectEqual('(i32.load16_u (i32.const 2056))', 0),
  ].join('')
  expect(await errnoOf('poll_oneoff', numbers(1024, 2048, 2, 4096), twoClocks, after)).toBe(0)
})

it('poll_oneoff finds a stream ready, and a clock that does not exist', async () => {
  const asked = subscribe(1024, 7, 0, 1, 1e12) + subscribe(1072, 8, 1) + subscribe(1120, 9, 0, 99)
  const after = [
    expectEqual('(i32.load (i32.const 4096))', 2),
    expectEqual('(i32.load (i32.const 2048))', 8),
    expectEqual('(i32.load8_u (i32.const 2058))', 1),
    expectEqual('(i32.load (i32.const 2080))', 9),
    expectEqual('(i32.load16_u (i32.const 2088))', 28),
  ].join('')
  expect(await errnoOf('poll_oneoff', numbers(1024, 2048, 3, 4096), asked, after)).toBe(0)
})

it('random_get fills what it is given, differently each time', async () => {
  const imports =
    '(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))'
  const main = `(drop (call $random (i32.const 64) (i32.const 4)))
    (drop (call $say (i32.const 2) (i32.const 64) (i32.const 4)))`
  const handler = await runtime.precompileWasi(await command(main, { imports }))
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const { logs } = await runtime.executeCompiledHandler(handler, { event: null })
    seen.add(JSON.stringify(logs.map(({ message }) => message)))
  }
  expect(seen.size).toBeGreaterThan(10)
})
