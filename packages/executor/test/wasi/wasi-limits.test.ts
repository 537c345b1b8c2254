import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { command, print } from './wat.js'

const MiB = 1024 * 1024
const LOOP = '(loop $forever (br $forever))'
const OWN_MEMORY = (initial: number, maximum = '') =>
  `(memory (export "memory") ${initial} ${maximum})`

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('a WASI command, %s,', (_, runtime) => {
  const run = async (binary: Promise<Uint8Array>, options: object = {}, event: unknown = null) =>
    runtime.executeCompiledHandler(await runtime.precompileWasi(await binary), { event }, options)

  it('that asks for memory until none is left ends in MEMORY_LIMIT', async () => {
    const bomb =
      command(`(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      unreachable`)
    const { error, metrics } = await run(bomb, { memoryLimitBytes: 16 * MiB })
    expect(error).toMatchObject({ code: 'MEMORY_LIMIT' })
    expect(metrics.memoryPeakBytes).toBeLessThanOrEqual(16 * MiB)
    expect(metrics.memoryPeakBytes).toBeGreaterThan(15 * MiB)
  })

  it('that fails because one large request was refused ends in MEMORY_LIMIT, one that fails after it got more does not', async () => {
    const grow = (pages: number) => `(memory.grow (i32.const ${pages}))`
    const refused = await run(command(`(drop ${grow(1)}) (drop ${grow(30_000)}) unreachable`))
    expect(refused.error).toMatchObject({ code: 'MEMORY_LIMIT' })
    expect(refused.metrics.memoryPeakBytes).toBe(2 * 64 * 1024)
    const exits = command(`(drop ${grow(30_000)}) (call $proc_exit (i32.const 1))`)
    expect((await run(exits)).error).toMatchObject({ code: 'MEMORY_LIMIT' })
    const recovered = command(`(drop ${grow(30_000)}) (drop ${grow(1)}) unreachable`)
    expect((await run(recovered)).error).toMatchObject({ code: 'EXECUTION_ERROR' })
    const full = command(`(drop ${grow(31)}) unreachable`)
    expect((await run(full, { memoryLimitBytes: 2 * MiB })).error).toMatchObject({
      code: 'EXECUTION_ERROR',
    })
    expect((await run(command(`(drop ${grow(30_000)})`))).status).toBe('success')
  })

  it('gets exactly the memory that its limit allows', async () => {
    const grow = (pages: number) =>
      command(`(if (i32.eq (memory.grow (i32.const ${pages})) (i32.const -1)) (then unreachable))`)
    expect((await run(grow(31), { memoryLimitBytes: 2 * MiB })).status).toBe('success')
    expect((await run(grow(32), { memoryLimitBytes: 2 * MiB })).status).toBe('error')
  })

  it('cannot grow past the maximum of its own module', async () => {
    const main = '(if (i32.ne (memory.grow (i32.const 2)) (i32.const -1)) (then unreachable))'
    expect((await run(command(main, { memory: OWN_MEMORY(1, '2') }))).status).toBe('success')
  })

  it('whose start needs more than its limit is not run', async () => {
    const binary = command('', { memory: OWN_MEMORY(32) })
    expect((await run(binary, { memoryLimitBytes: 2 * MiB })).status).toBe('success')
    const { error } = await run(binary, { memoryLimitBytes: 2 * MiB - 1 })
    expect(error).toMatchObject({ code: 'MEMORY_LIMIT', retryable: false })
    const tables = '(table 200000 funcref) (table 200000 funcref)'
    const large = await run(command('', { fields: tables }), { memoryLimitBytes: 4 * MiB })
    expect(large.error).toMatchObject({ code: 'MEMORY_LIMIT' })
  })

  it('cannot grow a table', async () => {
    const main = `(if (i32.ne (table.grow (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))`
    expect((await run(command(main, { fields: '(table 1 funcref)' }))).status).toBe('success')
  })

  it('leaves no trace for the next call when it has grown', async () => {
    const binary = command(`(if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
      (if (i32.load (i32.const 60000)) (then unreachable))
      (i32.store (i32.const 60000) (i32.const 1))
      (drop (memory.grow (i32.const 4)))
      (i32.store (i32.const 300000) (i32.const 1))`)
    for (let i = 0; i < 3; i++) expect((await run(binary)).status).toBe('success')
  })

  it('that recurses without end ends in STACK_OVERFLOW, and the next call is well', async () => {
    const fields = '(func $down (param i64) (call $down (i64.add (local.get 0) (i64.const 1))))'
    const { error } = await run(command('(call $down (i64.const 0))', { fields }))
    expect(error).toMatchObject({ code: 'STACK_OVERFLOW' })
    expect((await run(command(''))).status).toBe('success')
  })

  it('that sleeps past its time limit ends in TIMEOUT', async () => {
    const poll = `(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`
    const main = `(i32.store (i32.const 1040) (i32.const 1))
      (i64.store (i32.const 1048) (i64.const 60000000000))
      (drop (call $poll (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 4096)))`
    const { error } = await run(command(main, { imports: poll }), { timeoutMs: 50 })
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true })
  })

  it('that asks the host in a loop ends in TIMEOUT', async () => {
    const main = `(loop $forever (drop (call $read (i32.const 1024) (i32.const 1))) (br $forever))`
    expect((await run(command(main), { timeoutMs: 50 })).error?.code).toBe('TIMEOUT')
  })

  it('may write a result as large as its limit', async () => {
    const { main, data } = print(1, '"12345678"')
    const binary = command(main, { fields: data })
    expect((await run(binary, { maxResultBytes: 10 })).value).toBe('12345678')
    expect((await run(binary, { maxResultBytes: 9 })).error).toMatchObject({
      code: 'RESOURCE_LIMIT',
      retryable: false,
    })
  })

  it('that floods stdout is stopped at once', async () => {
    const main = `(loop $forever (drop (call $say (i32.const 1) (i32.const 0) (i32.const 65536))) (br $forever))`
    const { error } = await run(command(main), { timeoutMs: 30_000 })
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
  })

  it('that floods stderr has its log cut with a notice, and goes on', async () => {
    const { main, data } = print(2, '0123456789\n')
    const { status, logs } = await run(command(main.repeat(6), { fields: data }), {
      maxLogBytes: 35,
    })
    expect(status).toBe('success')
    expect(logs.map(({ message }) => message.slice(0, 10))).toEqual([
      '0123456789',
      '0123456789',
      '0123456789',
      'The log of',
    ])
  })

  it('that writes in the smallest pieces is put together as it wrote', async () => {
    const main = `(loop $again
        (drop (call $say (i32.const 1) (i32.const 1024) (i32.const 1)))
        (drop (call $say (i32.const 2) (i32.const 1024) (i32.const 1)))
        (drop (call $say (i32.const 2) (i32.const 1025) (i32.const 0)))
        (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
        (br_if $again (i32.lt_u (i32.load (i32.const 16)) (i32.const 200))))`
    const result = await run(command(main, { fields: '(data (i32.const 1024) "1")' }))
    expect(result.value).toBe(Number('1'.repeat(200)))
    expect(result.logs).toEqual([expect.objectContaining({ message: '1'.repeat(200) })])
  })

  it('that points the host outside its memory is told so', async () => {
    const far = '(i32.const 0xfffffff0)'
    const fault = (answer: string) => `(if (i32.ne ${answer} (i32.const 21)) (then unreachable))`
    const main = [
      `(call $fd_write (i32.const 1) ${far} (i32.const 1) (i32.const 8))`,
      `(call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) ${far})`,
      `(call $fd_write (i32.const 1) (i32.const 64) (i32.const 0x20000000) (i32.const 8))`,
      `(call $say (i32.const 1) ${far} (i32.const 100))`,
      `(call $read (i32.const 65530) (i32.const 100))`,
    ]
      .map(fault)
      .join('\n')
    expect(await run(command(main))).toMatchObject({ status: 'success' })
  })
})

describe('a WASI command that never ends', () => {
  it('is ended with its thread, and its neighbours are not', async () => {
    const runtime = openRuntime({ threads: 2 })
    const endless = await runtime.precompileWasi(await command(LOOP))
    const harmless = await runtime.precompileWasi(await command(''))
    const looping = runtime.executeCompiledHandler(endless, { event: 1 }, 100)
    const others = await Promise.all(
      Array.from({ length: 20 }, () => runtime.executeCompiledHandler(harmless, { event: 1 })),
    )
    expect(others.every(({ status }) => status === 'success')).toBe(true)
    expect((await looping).error).toMatchObject({ code: 'TIMEOUT' })
    expect(runtime.getStats().threadKills).toBe(1)
    expect((await runtime.executeCompiledHandler(harmless, { event: 1 })).status).toBe('success')
  })

  it('in the start function of its module is ended too', async () => {
    const runtime = openRuntime({ threads: 1, timeoutMs: 100 })
    const binary = await command('', { fields: `(func $begin ${LOOP}) (start $begin)` })
    await expect(runtime.precompileWasi(binary)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})
