import type { CallOptions, ErrorCode, HandlerContext, WasmRuntime } from '@nexus/executor'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from './runtimes.js'
import { command, print } from './wasi/wat.js'

/** What a bus does with each code: try again later, or give up at once. */
const RETRYABLE: Record<ErrorCode, boolean> = {
  TIMEOUT: true,
  MEMORY_LIMIT: true,
  STACK_OVERFLOW: true,
  PERMISSION_DENIED: false,
  EXECUTION_ERROR: true,
  COMPILATION_ERROR: false,
  INVALID_HANDLER: false,
  RESOURCE_LIMIT: false,
  POOL_EXHAUSTED: true,
  INTERNAL_ERROR: true,
}

const EMIT = {
  imports: '(import "nexus" "emit" (func $emit (param i32 i32 i32 i32 i32 i32) (result i32)))',
  fields: '(data (i32.const 64) "a.b1")',
}
/** Emits the event `a.b` with the data 1, and ends with the exit code 1 when that is refused. */
const emitting = `(if (call $emit (i32.const 64) (i32.const 3) (i32.const 67) (i32.const 1) (i32.const 0) (i32.const 0))
  (then (call $proc_exit (i32.const 1))))`
const text = print(1, 'not json')

type Case = [
  ErrorCode,
  string,
  Promise<Uint8Array> | string,
  CallOptions?,
  Partial<HandlerContext>?,
]
const cases: Case[] = [
  ['TIMEOUT', 'JavaScript', handler('for (;;) {}'), { timeoutMs: 30 }],
  [
    'MEMORY_LIMIT',
    'JavaScript',
    handler('const a = []; for (;;) a.push([a.length])'),
    { memoryLimitBytes: 2 ** 22 },
  ],
  ['STACK_OVERFLOW', 'JavaScript', handler('const f = () => f() + 1; return f()')],
  ['PERMISSION_DENIED', 'JavaScript', handler('await ctx.emit("a.b", 1)')],
  ['EXECUTION_ERROR', 'JavaScript', handler('throw 1')],
  ['COMPILATION_ERROR', 'JavaScript', 'export default ('],
  ['INVALID_HANDLER', 'JavaScript', 'export default 1'],
  [
    'RESOURCE_LIMIT',
    'JavaScript, result',
    handler('return "x".repeat(100)'),
    { maxResultBytes: 10 },
  ],
  [
    'RESOURCE_LIMIT',
    'JavaScript, events',
    handler('await ctx.emit("a.b", 1)'),
    { maxHostCalls: 0 },
    { capabilities: ['events:emit:a.b'] },
  ],
  [
    'MEMORY_LIMIT',
    'WASI',
    command(
      '(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable',
    ),
    { memoryLimitBytes: 2 ** 22 },
  ],
  ['STACK_OVERFLOW', 'WASI', command('(call $f)', { fields: '(func $f (call $f) (call $f))' })],
  ['PERMISSION_DENIED', 'WASI', command(emitting, EMIT)],
  ['EXECUTION_ERROR', 'WASI, exit code', command('(call $proc_exit (i32.const 3))')],
  ['EXECUTION_ERROR', 'WASI, trap', command('unreachable')],
  ['EXECUTION_ERROR', 'WASI, result', command(text.main, { fields: text.data })],
  [
    'RESOURCE_LIMIT',
    'WASI, result',
    command(text.main, { fields: text.data }),
    { maxResultBytes: 3 },
  ],
  [
    'RESOURCE_LIMIT',
    'WASI, events',
    command(emitting, EMIT),
    { maxHostCalls: 0 },
    { capabilities: ['events:emit:a.b'] },
  ],
  [
    'RESOURCE_LIMIT',
    'WASI, bytes of events',
    command(emitting, EMIT),
    { maxResultBytes: 3 },
    { capabilities: ['events:emit:a.b'] },
  ],
]

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('%s', (_, runtime: WasmRuntime) => {
  it.each(cases)(
    '%s of %s says whether trying again may help',
    async (code, _engine, source, options, context) => {
      const called = { event: null, ...context }
      const { error } = await (typeof source === 'string'
        ? runtime.executeHandler(source, called, options)
        : runtime.executeCompiledHandler(
            await runtime.precompileWasi(await source),
            called,
            options,
          ))
      expect(error).toMatchObject({ code, retryable: RETRYABLE[code] })
    },
  )

  it('a WASI command may emit exactly what its limits allow in sum', async () => {
    const twice = await runtime.precompileWasi(await command(`${emitting} ${emitting}`, EMIT))
    const context = { event: null, capabilities: ['events:emit:a.b'] }
    const emit = (limits: CallOptions) => runtime.executeCompiledHandler(twice, context, limits)
    // Each event has 3 bytes of type and 1 of data.
    expect((await emit({ maxResultBytes: 8, maxHostCalls: 2 })).events).toHaveLength(2)
    expect((await emit({ maxResultBytes: 7, maxHostCalls: 2 })).error?.code).toBe('RESOURCE_LIMIT')
    expect((await emit({ maxResultBytes: 8, maxHostCalls: 1 })).error?.code).toBe('RESOURCE_LIMIT')
  })
})
