import { describe, expect, it } from 'vitest'
import { serve, settled } from './workspace.js'

const bad = {
  throws: "export default () => { throw new TypeError('no items') }",
  'loops-in-bytecode': 'export default () => { for (;;); }',
  'loops-in-promises': 'export default async () => { for (;;) await Promise.resolve() }',
  'loops-natively': 'export default () => new Array(2 ** 32 - 1).join()',
  'allocates-without-end':
    'export default () => { const all = []; for (;;) all.push(new Uint8Array(65536)) }',
  'recurses-without-end': 'export default function f() { return f() + 1 }',
  'returns-a-cycle': 'export default () => { const a = {}; a.a = a; return a }',
}
const expected: Record<keyof typeof bad, string[]> = {
  throws: ['EXECUTION_ERROR'],
  'loops-in-bytecode': ['TIMEOUT'],
  'loops-in-promises': ['TIMEOUT'],
  'loops-natively': ['TIMEOUT', 'MEMORY_LIMIT'],
  'allocates-without-end': ['MEMORY_LIMIT'],
  'recurses-without-end': ['STACK_OVERFLOW', 'EXECUTION_ERROR'],
  'returns-a-cycle': ['EXECUTION_ERROR', 'RESOURCE_LIMIT', 'INVALID_HANDLER'],
}

const names = Object.keys(bad) as (keyof typeof bad)[]
/** To fill 32 MiB on a thread that has just started, beside threads that never stop: it must fail by its memory. */
const ENOUGH_MS = 10_000
const yaml = `
functions:
  - name: good
    source: ./good.js
    events: [work]
${names
  .map(
    (name) => `  - name: ${name}
    source: ./${name}.js
    events: [work, only.${name}]
    timeoutMs: ${name === 'allocates-without-end' ? ENOUGH_MS : 250}
    memoryLimitBytes: 33554432
    retry: { maxAttempts: 1 }`,
  )
  .join('\n')}
`
const files = {
  'nexus.yaml': yaml,
  'good.js': 'export default (event) => event.data.n * 2',
  ...Object.fromEntries(names.map((name) => [`${name}.js`, bad[name]])),
}

describe('functions that misbehave', () => {
  it('fail alone, while others run and the server answers', async () => {
    const { client, send } = await serve(files)
    const { id } = await client.publish({ type: 'work', data: { n: 21 } })
    const done = settled(client, id)
    let answered = 0
    let over = false
    void done.finally(() => {
      over = true
    })
    while (!over) {
      expect((await send('/healthz')).status).toBe(200)
      answered++
    }
    expect(answered).toBeGreaterThan(0)

    const runs = Object.fromEntries((await done).runs.map((run) => [run.function, run]))
    expect(runs.good).toMatchObject({ status: 'succeeded', value: 42, attempts: 1 })
    for (const name of names) {
      expect(runs[name], name).toMatchObject({ status: 'dead-lettered', attempts: 1 })
      expect(expected[name], `${name}: ${runs[name]?.error?.message}`).toContain(
        runs[name]?.error?.code,
      )
    }

    // And nothing of it lingers.
    const next = await client.publish({ type: 'work', data: { n: 4 } })
    const again = (await settled(client, next.id)).runs.find((run) => run.function === 'good')
    expect(again).toMatchObject({ status: 'succeeded', value: 8 })
  })

  it('show where in their own source they threw', async () => {
    const { client } = await serve({
      'nexus.yaml':
        'functions:\n  - { name: fn, source: ./fn.ts, events: [a], retry: { maxAttempts: 1 } }\n',
      'fn.ts':
        "import { total } from './total.js'\n\nexport default (event: { data: { items: null } }): number => total(event.data.items)\n",
      'total.ts':
        'export function total(items: { price: number }[] | null): number {\n  return items!.length\n}\n',
    })
    const { id } = await client.publish({ type: 'a', data: { items: null } })
    const [run] = (await settled(client, id)).runs
    expect(run?.error).toMatchObject({ code: 'EXECUTION_ERROR', name: 'TypeError' })
    expect(run?.error?.location).toMatchObject({
      file: expect.stringMatching(/total\.ts$/),
      line: 2,
    })
    expect(run?.error?.stack).toContain('total.ts:2')
  })

  it('are tried again, and what they emitted before counts once', async () => {
    const { client } = await serve({
      'nexus.yaml': `functions:
  - name: flaky
    source: ./flaky.js
    events: [a]
    retry: { maxAttempts: 3, baseDelayMs: 5 }
    capabilities: [events:emit:b]
  - { name: counter, source: ./counter.js, events: [b] }
`,
      'flaky.js':
        "export default async (event, ctx) => { await ctx.emit('b', {}); ctx.log.info('try', { attempt: ctx.attempt }); if (ctx.attempt < 3) throw new Error('not yet'); return 'done' }",
      'counter.js': 'export default () => 1',
    })
    const { id } = await client.publish({ type: 'a' })
    const [run] = (await settled(client, id)).runs
    expect(run).toMatchObject({
      function: 'flaky',
      status: 'succeeded',
      attempts: 3,
      value: 'done',
      logs: [{ level: 'info', message: 'try', fields: { attempt: 3 } }],
    })
    expect((await client.listEvents({ type: 'b' })).total).toBe(1)
    expect((await client.metrics()).functions).toMatchObject({ failed: 2 })
  })

  it('may not emit what nexus.yaml does not grant', async () => {
    const { client } = await serve({
      'nexus.yaml':
        'functions:\n  - { name: fn, source: ./fn.js, events: [a], retry: { maxAttempts: 1 } }\n',
      'fn.js': "export default (event, ctx) => ctx.emit('b', {})",
    })
    const { id } = await client.publish({ type: 'a' })
    const [run] = (await settled(client, id)).runs
    expect(run?.error?.code).toBe('PERMISSION_DENIED')
    expect(run?.error?.message).toContain('events:emit:b')
    expect((await client.listEvents()).total).toBe(1)
  })
})
