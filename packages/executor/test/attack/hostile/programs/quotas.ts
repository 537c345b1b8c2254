import { expect } from 'vitest'
import type { HostileProgram } from '../program.js'

const all = { capabilities: ['events:emit:>', 'ext:host'] }

/** What the host does for a guest costs the host: each has a bound. */
export const quotas: readonly HostileProgram[] = [
  {
    name: 'host calls without an end',
    handler: "async (event, ctx) => { for (;;) await ctx.call('host', 'echo', 1) }",
    context: all,
    limits: { maxHostCalls: 50 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'host calls that are not awaited',
    handler:
      "(event, ctx) => { for (;;) { try { ctx.call('host', 'never').catch(() => {}) } catch { } } }",
    context: all,
    limits: { maxHostCalls: 50 },
    expect: 'TIMEOUT',
  },
  {
    name: 'host calls that are denied, without an end',
    handler:
      "async (event, ctx) => { for (;;) { try { await ctx.call('secret', 'x') } catch { } } }",
    expect: 'TIMEOUT',
  },
  {
    name: 'timers without an end',
    handler: 'async () => { for (;;) setTimeout(() => {}, 1e6) }',
    limits: { maxHostCalls: 50 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'timers that are cleared at once',
    handler: 'async () => { for (;;) clearTimeout(setTimeout(() => {}, 1e6)) }',
    limits: { maxHostCalls: 50 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'events without an end',
    handler: "async (event, ctx) => { for (;;) await ctx.emit('a.b', {}) }",
    context: all,
    limits: { maxHostCalls: 50 },
    expect: 'RESOURCE_LIMIT',
    verify: ({ events }) => expect(events).toEqual([]),
  },
  {
    name: 'events larger than the limit together',
    handler:
      "async (event, ctx) => { for (let i = 0; i < 20; i++) await ctx.emit('a.b', 'x'.repeat(10000)) }",
    context: all,
    limits: { maxResultBytes: 100000 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'attributes larger than the limit together',
    handler:
      "async (event, ctx) => { for (let i = 0; i < 20; i++) await ctx.emit('a.b', 1, { subject: 'x'.repeat(10000) }) }",
    context: all,
    limits: { maxResultBytes: 100000 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'an argument larger than a result may be',
    handler: "(event, ctx) => ctx.call('host', 'echo', 'x'.repeat(100001))",
    context: all,
    limits: { maxResultBytes: 100000 },
    expect: 'RESOURCE_LIMIT',
  },
  {
    name: 'arguments in flight that fill the host',
    handler:
      "async (event, ctx) => { const s = 'x'.repeat(90000); let refused = 0; for (let i = 0; i < 100; i++) ctx.call('host', 'never', s).catch(() => { refused++ }); await null; await null; return refused }",
    context: all,
    limits: { maxResultBytes: 100000, memoryLimitBytes: 4 * 1024 * 1024 },
    expect: 'success',
    // 46 calls with their quotes and brackets fit into 4 MiB.
    value: 54,
  },
  {
    name: 'log lines without an end',
    handler: "(event, ctx) => { for (;;) ctx.log.info('a line of a log', { with: 'fields' }) }",
    limits: { maxLogBytes: 10000 },
    expect: 'TIMEOUT',
    verify: ({ logs }) => expect(logs.length).toBeLessThan(1000),
  },
  {
    name: 'empty log lines without an end',
    handler: "(event, ctx) => { for (;;) ctx.log.info('') }",
    limits: { maxLogBytes: 10000 },
    expect: 'TIMEOUT',
    verify: ({ logs }) => expect(logs.length).toBeLessThanOrEqual(10001),
  },
  {
    name: 'one log line of megabytes',
    handler:
      "(event, ctx) => { ctx.log.info('x'.repeat(2e6)); console.log('y'.repeat(2e6)); ctx.log.info('f', { f: 'z'.repeat(1e6) }); return 1 }",
    expect: 'success',
    value: 1,
    verify: ({ logs }) => expect(JSON.stringify(logs).length).toBeLessThan(70_000),
  },
  {
    name: 'a limit that is caught and ignored',
    handler:
      "async (event, ctx) => { let refused = 0; for (let i = 0; i < 100; i++) { try { await ctx.emit('a.b', i) } catch { refused++ } } return refused }",
    context: all,
    limits: { maxHostCalls: 50 },
    expect: 'success',
    value: 50,
  },
  {
    name: 'an error larger than a result may be',
    handler: "() => { throw new Error('x'.repeat(1000)) }",
    limits: { maxResultBytes: 100 },
    expect: 'EXECUTION_ERROR',
    verify: ({ error }) => expect(error?.message).toHaveLength(1000),
  },
]
