import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { command, ECHO, print } from './wat.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('a WASI command, %s,', (_, runtime) => {
  const run = async (binary: Promise<Uint8Array>, context: object = {}, options: object = {}) =>
    runtime.executeCompiledHandler(
      await runtime.precompileWasi(await binary),
      { event: null, ...context },
      options,
    )

  it('gets the event on stdin and gives its result on stdout', async () => {
    const event = { id: 7, name: 'Zoë', list: [1, null, true] }
    const result = await run(command(ECHO), { event })
    expect(result).toMatchObject({ status: 'success', value: event, events: [], logs: [] })
    expect(result.metrics).toMatchObject({ cacheHit: true, memoryUsedBytes: 65536 })
  })

  it('has no result when it writes nothing', async () => {
    const result = await run(command(''))
    expect(result.status).toBe('success')
    expect(result).not.toHaveProperty('value')
  })

  it('reads nothing more after the end of the event', async () => {
    const main = `
      (drop (call $read (i32.const 1024) (i32.const 1000)))
      (if (i32.ne (i32.load (i32.const 8)) (i32.const 4)) (then unreachable))
      (if (call $read (i32.const 1024) (i32.const 1000)) (then unreachable))
      (if (i32.load (i32.const 8)) (then unreachable))`
    expect(await run(command(main))).toMatchObject({ status: 'success' })
  })

  it('logs by stderr, with the level that a line begins with', async () => {
    const { main, data } = print(2, 'plain\nWARN watch out\nERROR: broken\r\nDebug is a word\nlast')
    const { logs } = await run(command(main, { fields: data }))
    expect(logs.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'plain'],
      ['warn', 'watch out'],
      ['error', 'broken'],
      ['info', 'Debug is a word'],
      ['info', 'last'],
    ])
    expect(logs[0]?.time).toBeGreaterThan(1.6e12)
  })

  it('starts each call with the memory and the globals that its module declares', async () => {
    const binary = command(
      `(i32.store8 (i32.const 2048) (i32.add (i32.load8_u (i32.const 2048)) (global.get $count)))
       (global.set $count (i32.add (global.get $count) (i32.const 1)))
       (i32.store8 (i32.const 2049) (i32.add (i32.load8_u (i32.const 2049)) (i32.const 1)))
       (if (i32.ne (i32.load8_u (i32.const 2049)) (i32.const 1)) (then unreachable))
       (drop (call $say (i32.const 1) (i32.const 2048) (i32.const 1)))`,
      { fields: '(global $count (mut i32) (i32.const 1)) (data (i32.const 2048) "6")' },
    )
    for (let i = 0; i < 5; i++) expect(await run(binary)).toMatchObject({ value: 7 })
  })

  it('fails with its exit code, unless that is 0', async () => {
    const { error } = await run(command('(call $proc_exit (i32.const 3))'))
    expect(error).toMatchObject({ code: 'EXECUTION_ERROR', name: 'ExitError', retryable: true })
    expect(error?.message).toContain('exit code 3')
    expect(await run(command('(call $proc_exit (i32.const 0)) unreachable'))).toMatchObject({
      status: 'success',
    })
  })

  it('keeps its log and drops its events when it fails', async () => {
    const { main, data } = print(2, 'about to fail\n')
    const result = await run(
      command(`${emit('order.paid', '{}')} ${main} unreachable`, {
        imports: EMIT,
        fields: `${data} ${emitData('order.paid', '{}')}`,
      }),
      { capabilities: ['events:emit:>'] },
    )
    expect(result).toMatchObject({ status: 'error', events: [] })
    expect(result.logs).toHaveLength(1)
  })

  it('that writes something else than JSON fails, and says what', async () => {
    const { main, data } = print(1, 'hello')
    const { error } = await run(command(main, { fields: data }))
    expect(error).toMatchObject({ code: 'EXECUTION_ERROR' })
    expect(error?.message).toContain('Expected JSON or nothing on stdout')
  })

  it('that traps fails with the name of the trap and of its function', async () => {
    const { error } = await run(
      command('(call $divide)', {
        fields: '(func $divide (drop (i32.div_s (i32.const 1) (i32.const 0))))',
      }),
    )
    expect(error).toMatchObject({ code: 'EXECUTION_ERROR', name: 'RuntimeError' })
    expect(error?.message).toContain('divide by zero')
  })

  it('sees the arguments and the environment it was given, and nothing else', async () => {
    const binary = await command(
      `(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
       (drop (call $args_get (i32.const 2048) (i32.const 4096)))
       (drop (call $environ_sizes_get (i32.const 24) (i32.const 28)))
       (drop (call $environ_get (i32.const 3072) (i32.add (i32.const 4096) (i32.load (i32.const 20)))))
       (drop (call $say (i32.const 2) (i32.const 4096) (i32.add (i32.load (i32.const 20)) (i32.load (i32.const 28)))))
       (if (i32.ne (i32.load (i32.const 2052)) (i32.const 4109)) (then unreachable))`,
      {
        imports: ['args', 'environ']
          .map(
            (list) => `
              (import "wasi_snapshot_preview1" "${list}_sizes_get" (func $${list}_sizes_get (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "${list}_get" (func $${list}_get (param i32 i32) (result i32)))`,
          )
          .join(''),
      },
    )
    const handler = await runtime.precompileWasi(binary, { args: ['--tax', '0.19'] })
    const { logs } = await runtime.executeCompiledHandler(handler, {
      event: 1,
      env: { REGION: 'eu' },
      secrets: { KEY: 'hunter22' },
      functionName: 'sum',
      attempt: 2,
    })
    expect(logs[0]?.message.split('\0')).toEqual([
      'command.wasm',
      '--tax',
      '0.19',
      'REGION=eu',
      'KEY=[secret KEY]',
      'NEXUS_FUNCTION=sum',
      'NEXUS_ATTEMPT=2',
      '',
    ])

    // A line of the log ends where a line of the secret does.
    const parted = await runtime.executeCompiledHandler(handler, {
      event: 1,
      secrets: { KEY: 'first-line\nsecond-line' },
    })
    expect(parted.logs.map(({ message }) => message.split('\0'))).toEqual([
      ['command.wasm', '--tax', '0.19', 'KEY=[secret KEY]'],
      ['[secret KEY]', ''],
    ])
  })

  it('has each field of the pool and the cache counted', async () => {
    const before = runtime.getStats()
    const handler = await runtime.precompileWasi(await command(`${ECHO} nop`))
    for (let i = 0; i < 3; i++) await runtime.executeCompiledHandler(handler, { event: i })
    const { engines, modules } = runtime.getStats()
    const rewinds = (stats: typeof engines) =>
      stats.reduce((sum, { pool }) => sum + pool.rewinds, 0)
    expect(rewinds(engines)).toBeGreaterThanOrEqual(rewinds(before.engines) + 3)
    expect(modules.misses).toBe(before.modules.misses + 1)
    expect(runtime.getPrometheusMetrics()).toMatch(/nexus_\w*rewinds/)
  })
})

const EMIT = `(import "nexus" "emit" (func $emit (param i32 i32 i32 i32 i32 i32) (result i32)))`

/** Where the texts of an emit are: the type at 16384, the data at 20480, the attributes at 24576. */
function emitData(type: string, data: string, attributes = ''): string {
  return [type, data, attributes]
    .map((text, i) => `(data (i32.const ${16384 + i * 4096}) ${JSON.stringify(text)})`)
    .join('')
}

/** Emits, and ends with the answer as exit code unless that is 0. */
function emit(type: string, data: string, attributes = ''): string {
  return `(i32.store (i32.const 12) (call $emit (i32.const 16384) (i32.const ${type.length})
      (i32.const 20480) (i32.const ${data.length}) (i32.const 24576) (i32.const ${attributes.length})))
    (if (i32.load (i32.const 12)) (then (call $proc_exit (i32.load (i32.const 12)))))`
}

describe('a WASI command that emits', () => {
  const runtime = openRuntime({ threads: 0 })
  const run = async (texts: [string, string, string?], capabilities: string[], options = {}) => {
    const binary = await command(emit(...texts), { imports: EMIT, fields: emitData(...texts) })
    const handler = await runtime.precompileWasi(binary)
    return runtime.executeCompiledHandler(handler, { event: 1, capabilities }, options)
  }

  it('hands out events that a capability grants', async () => {
    const result = await run(['order.paid', '{"id":1}', '{"subject":"a"}'], ['events:emit:order.*'])
    expect(result.events).toEqual([
      { type: 'order.paid', data: { id: 1 }, attributes: { subject: 'a' } },
    ])
    expect(result.metrics.hostCalls).toBe(1)
  })

  it('is refused without it, and names it when that ends the command', async () => {
    const { error, events } = await run(['order.paid', '{}'], ['events:emit:user.*'])
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(error?.message).toContain('events:emit:order.paid')
    expect(events).toEqual([])
  })

  it.each([
    ['data that is not JSON', ['order.paid', '{']],
    ['attributes that are not JSON', ['order.paid', '1', '{']],
    ['attributes that are not an object', ['order.paid', '1', '[]']],
    ['no type', ['', '1']],
    ['a pattern for a type', ['order.*', '1']],
    ['a type that is too long', ['t'.repeat(513), '1']],
    ['a type that no host function takes', ['t'.repeat(1025), '1']],
    ['attributes that no event can have', ['order.paid', '1', '{"Not-Lower":1}']],
    ['data among the attributes', ['order.paid', '1', '{"data":1}']],
  ] as [string, [string, string, string?]][])('is refused with %s', async (_name, texts) => {
    const { error } = await run(texts, ['events:emit:>'])
    expect(error?.message).toContain('exit code 3')
  })

  it('may emit as many events and bytes as its limits', async () => {
    const grant = ['events:emit:>']
    expect((await run(['a', '"12345678"'], grant, { maxResultBytes: 11 })).status).toBe('success')
    const large = await run(['a', '"12345678"'], grant, { maxResultBytes: 10 })
    expect(large.error?.code).toBe('RESOURCE_LIMIT')
    expect((await run(['a', '1'], grant, { maxHostCalls: 1 })).status).toBe('success')
    expect((await run(['a', '1'], grant, { maxHostCalls: 0 })).error?.code).toBe('RESOURCE_LIMIT')
    expect((await run(['t'.repeat(512), '1'], grant)).status).toBe('success')
  })

  it('has its events counted together, with their attributes', async () => {
    const texts = ['a', '1', '{"subject":"b"}'] as const
    const binary = await command(`${emit(...texts)} ${emit(...texts)}`, {
      imports: EMIT,
      fields: emitData(...texts),
    })
    const handler = await runtime.precompileWasi(binary)
    const context = { event: 1, capabilities: ['events:emit:a'] }
    const bytes = 2 * texts.join('').length
    for (const [maxResultBytes, code] of [
      [bytes, undefined],
      [bytes - 1, 'RESOURCE_LIMIT'],
    ] as const) {
      const { error } = await runtime.executeCompiledHandler(handler, context, { maxResultBytes })
      expect([maxResultBytes, error?.code]).toEqual([maxResultBytes, code])
    }
  })

  it('may give an event 16 KiB of attributes', async () => {
    const attributes = (bytes: number) => `{"subject":"${'s'.repeat(bytes - 14)}"}`
    const give = (bytes: number) => run(['a', '1', attributes(bytes)], ['events:emit:a'])
    expect((await give(16_384)).status).toBe('success')
    expect((await give(16_385)).error?.code).toBe('RESOURCE_LIMIT')
  })
})
