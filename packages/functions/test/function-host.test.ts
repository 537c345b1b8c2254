import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type FunctionAttempt,
  type FunctionHostOptions,
  type FunctionRun,
  FunctionWatcher,
} from '@nexus/functions'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openHost } from './open-host.js'

async function open(options: Partial<FunctionHostOptions> = {}) {
  const { bus, runtime, host } = await openHost([], options)
  const settled = async (type: string, data: unknown = null) => {
    const { id } = await bus.publish({ type, data })
    const ends = (runs: FunctionRun[] | undefined) =>
      runs !== undefined &&
      runs.length > 0 &&
      runs.every(({ status }) => status === 'succeeded' || status === 'dead-lettered')
    await expect.poll(async () => ends(await host.runs({ id }))).toBe(true)
    return (await host.runs({ id }))!
  }
  return { bus, runtime, host, settled }
}

const echo = { name: 'echo', source: 'export default (event) => event.data', events: 'a' }

describe('a function host', () => {
  it('runs functions on their events and says what each did', async () => {
    const { host, settled } = await open()
    await host.bind([
      echo,
      {
        name: 'flaky',
        source:
          "export default (_, ctx) => { if (ctx.attempt < 2) throw new Error('no'); return 1 }",
        events: ['a'],
        retry: { baseDelayMs: 1 },
      },
    ])
    const runs = await settled('a', { n: 1 })
    expect(runs.find((run) => run.function === 'echo')).toMatchObject({
      value: { n: 1 },
      attempts: 1,
    })
    expect(runs.find((run) => run.function === 'flaky')).toMatchObject({ value: 1, attempts: 2 })
    expect(await host.runs({ id: 'unknown' })).toBe(undefined)
  })

  it('hands the stored text of an event to the sandbox as it is', async () => {
    const { bus, runtime, host } = await open()
    const execute = vi.spyOn(runtime, 'executeCompiledHandler')
    await host.bind([{ ...echo, source: 'export default (event) => event' }])
    const data = { list: [1, { 'a b': null, '10': 'ten' }], text: '\u2028 "quoted" 😀', big: 1e300 }
    const sent = { id: 'e', source: '/s', type: 'a', data, subject: 'one', ext: 7 }
    await bus.publish(sent)
    const runs = async () => host.runs({ id: 'e' })
    await expect.poll(runs).toMatchObject([{ status: 'succeeded' }])
    const stored = (await bus.get('e'))!.event
    expect(await runs()).toMatchObject([{ value: stored }])
    expect(execute.mock.calls.map(([, context]) => context.eventJson)).toEqual([
      JSON.stringify(stored),
    ])
    expect(execute.mock.calls[0]![1]).not.toHaveProperty('event')
  })

  it('commits what a function emits with its ack', async () => {
    const { bus, host, settled } = await open()
    await host.bind([
      {
        ...echo,
        source: `export default async (event, ctx) => {
          await ctx.emit('b', 1, { subject: 's' })
          if (ctx.attempt < 2) throw new Error('after the emit')
        }`,
        capabilities: ['events:emit:b'],
        retry: { baseDelayMs: 1 },
      },
    ])
    await settled('a')
    const { events } = await bus.list({ type: 'b' })
    expect(events).toHaveLength(1)
    expect(events[0]?.event).toMatchObject({ source: '/functions/echo', subject: 's' })
  })

  it.each([
    "{ source: '/admin' }",
    "{ source: '/admin', id: event.id }",
    'JSON.parse(\'{"source":"/admin","__proto__":{"source":"/admin"}}\')',
    "Object.create({ source: '/admin' })",
    "{ get source() { return '/admin' } }",
    "{ toJSON: () => ({ source: '/admin' }) }",
    "new Proxy({}, { ownKeys: () => ['source'], get: () => '/admin', getOwnPropertyDescriptor: () => ({ value: '/admin', enumerable: true, configurable: true }) })",
  ])(
    'does not let a function choose the source or the id of what it emits: %s',
    async (attributes) => {
      const { bus, host, settled } = await open()
      const source = `export default (event, ctx) => ctx.emit('b', 1, ${attributes})`
      await host.bind([
        { ...echo, source, capabilities: ['events:emit:b'], retry: { maxAttempts: 1 } },
      ])
      const runs = await settled('a')
      const { events } = await bus.list({ type: 'b' })
      // An attribute that no event may have is refused with the whole attempt.
      expect(events).toHaveLength(runs[0]?.status === 'succeeded' ? 1 : 0)
      for (const { event } of events) {
        expect(event.source).toBe('/functions/echo')
        const { events: causes } = await bus.list({ type: 'a' })
        expect(event.id).not.toBe(causes[0]?.event.id)
      }
    },
  )

  it('tells events of several sources with one id apart', async () => {
    const { bus, host } = await open()
    await host.bind([echo])
    for (const source of ['/one', '/two']) {
      await bus.publish({ type: 'a', id: '1', source, data: source })
      await expect.poll(async () => (await host.runs({ id: '1', source }))?.[0]?.value).toBe(source)
    }
    await expect(host.runs({ id: '1' })).rejects.toMatchObject({ code: 'AMBIGUOUS_ID' })
  })

  const order = {
    type: 'object',
    properties: { total: { type: 'number', minimum: 0 }, mail: { format: 'email' } },
    required: ['total'],
    additionalProperties: false,
  }
  const draft07 = { ...order, $schema: 'http://json-schema.org/draft-07/schema#' }

  it.each([order, draft07])(
    'ends an event that does not fit the schema, and does not run: %#',
    async (schema) => {
      const attempts: FunctionAttempt[] = []
      const { host, settled } = await open({ onAttempt: (attempt) => attempts.push(attempt) })
      await host.bind([{ ...echo, schema }])
      expect(await settled('a', { total: 1, mail: 'a@b.example' })).toMatchObject([
        { status: 'succeeded' },
      ])
      for (const [data, reason] of [
        [{}, "data must have required property 'total'"],
        [{ total: -1 }, 'data/total must be >= 0'],
        [{ total: 1, mail: 'none' }, 'data/mail must match format "email"'],
        [{ total: 1, more: 2 }, 'data must NOT have additional properties: "more"'],
        [null, 'data must be object'],
      ] as const) {
        expect(await settled('a', data)).toMatchObject([
          { status: 'dead-lettered', attempts: 1, error: { code: 'SCHEMA_MISMATCH' } },
        ])
        const { error, metrics } = attempts.at(-1)!
        expect(error?.message).toBe(`the event does not fit the schema of the function: ${reason}`)
        expect(metrics).toBe(undefined)
      }
    },
  )

  it('refuses a schema that is none when it is bound', async () => {
    const { host } = await open()
    for (const schema of [{ type: 'text' }, { tpye: 'object' }, { $ref: '#/$defs/none' }]) {
      const binding = host.bind([{ ...echo, schema }])
      await expect(binding).rejects.toMatchObject({ code: 'FUNCTION_INVALID' })
      await expect(binding).rejects.toThrow(/function echo: schema: /)
    }
  })

  it('does not try again what can never succeed', async () => {
    const { host, settled } = await open()
    await host.bind([
      { ...echo, source: "export default (_, ctx) => ctx.emit('b', 1)", retry: { baseDelayMs: 1 } },
    ])
    expect(await settled('a')).toMatchObject([
      { status: 'dead-lettered', attempts: 1, error: { code: 'PERMISSION_DENIED' } },
    ])
  })

  it('adds, replaces and removes functions; what was published meanwhile is not lost', async () => {
    const { bus, host, settled } = await open()
    await host.add(echo)
    await expect(host.add(echo)).rejects.toMatchObject({ code: 'FUNCTION_EXISTS' })
    await host.add({ ...echo, name: 'other', events: 'b' })
    expect(host.names).toEqual(['echo', 'other'])

    await host.remove('echo')
    await expect(host.remove('echo')).rejects.toMatchObject({ code: 'FUNCTION_NOT_FOUND' })
    const { id } = await bus.publish({ type: 'a', data: 'while it was away' })
    await host.add(echo)
    await expect
      .poll(async () => (await host.runs({ id }))?.map(({ value }) => value))
      .toEqual(['while it was away'])

    // Another retry policy is another subscription of the same group.
    await host.bind([{ ...echo, retry: { maxAttempts: 9 }, source: 'export default () => 2' }])
    expect(await settled('a')).toMatchObject([{ function: 'echo', value: 2 }])
  })

  it('changes nothing when one function does not compile, and names all that do not', async () => {
    const { host, settled } = await open()
    await host.bind([echo])
    const broken = [
      { name: 'one', source: 'export default (', events: 'a' },
      { name: 'two', file: '/there/is/no/such/file.js', events: 'a' },
    ]
    const bind = host.bind([{ ...echo, source: 'export default () => 2' }, ...broken])
    await expect(bind).rejects.toMatchObject({ code: 'FUNCTION_INVALID' })
    await expect(bind).rejects.toThrow(/function one: [\s\S]*function two: /)
    expect(await settled('a', 1)).toMatchObject([{ value: 1 }])
  })

  it.each([
    [{ name: 'echo', events: 'a' }, /expected source/],
    [{ ...echo, file: './x.js' }, /expected source/],
    [{ ...echo, name: 'a b' }, /name: expected/],
    [{ ...echo, timeoutMs: -1 }, /timeoutMs: /],
    [{ ...echo, retry: { maxAttempt: 1 } }, /maxAttempt/],
    [{ ...echo, evnts: 'a' }, /evnts/],
  ])('refuses the definition %j', async (definition, message) => {
    const { host } = await open()
    const binding = host.bind([definition as never])
    await expect(binding).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    await expect(binding).rejects.toThrow(message)
  })

  it('cuts a record that is too large and says what was cut', async () => {
    const { host, settled } = await open({ maxRecordBytes: 4096 })
    await host.bind([
      {
        ...echo,
        source: `export default (event, ctx) => {
          for (let i = 0; i < 100; i++) ctx.log.info('line ' + i + ' ' + 'x'.repeat(100))
          if (event.data) throw new Error('y'.repeat(50_000))
          return 'z'.repeat(5000)
        }`,
        retry: { maxAttempts: 1 },
      },
    ])
    for (const [data, part] of [
      [false, 'value'],
      [true, 'error'],
    ] as const) {
      const [run] = await settled('a', data)
      expect(run?.truncated).toEqual(expect.arrayContaining(['logs', part]))
      expect(run?.logs[0]?.message).toMatch(/^line 0 /)
      expect(Buffer.byteLength(JSON.stringify(run))).toBeLessThan(4096 + 512)
    }
  })

  it('goes on when the one that it tells about attempts throws', async () => {
    const attempts: FunctionAttempt[] = []
    const { host, settled } = await open({
      onAttempt: (attempt) => {
        attempts.push(attempt)
        throw new Error('listener')
      },
    })
    await host.bind([echo])
    expect(await settled('a')).toMatchObject([{ status: 'succeeded', attempts: 1 }])
    expect(attempts).toMatchObject([{ function: 'echo', attempt: 1, status: 'success' }])
  })

  it('takes nothing after it was closed', async () => {
    const { host } = await open()
    await host.close()
    await expect(host.bind([echo])).rejects.toMatchObject({ code: 'CLOSED' })
    expect(host.names).toEqual([])
  })
})

describe('functions of files', () => {
  async function withFile() {
    const opened = await open()
    const directory = await mkdtemp(join(tmpdir(), 'nexus-functions-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const file = join(directory, 'fn.ts')
    await writeFile(join(directory, 'word.ts'), "export const word: string = 'one'\n")
    await writeFile(file, "import { word } from './word.js'\nexport default () => word\n")
    await opened.host.bind([{ name: 'fn', file, events: 'a' }])
    return { ...opened, directory, file }
  }

  it('run their new code after a reload, and the old one after a reload that failed', async () => {
    const { host, settled, directory, file } = await withFile()
    expect(await settled('a')).toMatchObject([{ value: 'one' }])
    await writeFile(join(directory, 'word.ts'), "export const word: string = 'two'\n")
    await host.reload()
    expect(await settled('a')).toMatchObject([{ value: 'two' }])
    await writeFile(file, 'export default (')
    await expect(host.reload()).rejects.toMatchObject({ code: 'FUNCTION_INVALID' })
    expect(await settled('a')).toMatchObject([{ value: 'two' }])
  })

  it('are watched, with everything that they import', async () => {
    const { host, settled, directory, file } = await withFile()
    const reloads: (readonly string[])[] = []
    const problems: string[] = []
    const watcher = new FunctionWatcher({
      host,
      onReload: (names) => reloads.push(names),
      onProblem: ({ message }) => problems.push(message),
    })
    onTestFinished(() => watcher.close())
    await writeFile(join(directory, 'word.ts'), "export const word: string = 'two'\n")
    await expect.poll(() => reloads).toEqual([['fn']])
    expect(await settled('a')).toMatchObject([{ value: 'two' }])
    await writeFile(file, 'export default (')
    await expect.poll(() => problems[0]).toMatch(/fn\.ts:\d+:\d+/)
    expect(await settled('a')).toMatchObject([{ value: 'two' }])
  })
})
