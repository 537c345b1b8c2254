import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { type FunctionAttempt, FunctionHost } from '@nexus/functions'
import { beforeAll, describe, expect, it } from 'vitest'

const bus = await EventBus.open({ store: memoryStore() })
const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
const attempts: FunctionAttempt[] = []
const host = new FunctionHost({ bus, runtime, onAttempt: (attempt) => attempts.push(attempt) })

beforeAll(() => async () => {
  await host.close()
  await bus.close()
  await runtime.shutdown()
})

/** Each attribute of an event, with what it can and cannot be: JSON, as a handler hands it over. */
const TEXTS = [
  '',
  'x',
  'ü😀',
  'a\u0000b',
  '\u0085',
  '\ud800',
  '\udc00x',
  '\uffff',
  '\u{1fffe}',
  '\ufdd0',
  ' ',
]
const OTHERS = [
  null,
  true,
  false,
  0,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  1.5,
  [],
  {},
  ['x'],
]
const NAMES = [
  'subject',
  'datacontenttype',
  'dataschema',
  'traceparent',
  'tracestate',
  'mine',
  '0',
  'a1',
  'Mine',
  'my_own',
  'my-own',
  'ü',
  '',
  'x'.repeat(64),
  'x'.repeat(65),
  '__proto__',
  'constructor',
  'data',
  'data_base64',
]
const TIMES = [
  '2026-01-31T12:00:00Z',
  '2026-01-31t12:00:00.123456789z',
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '0000-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:60:00Z',
  '2016-12-31T23:59:60Z',
  '2017-01-01T00:59:60+01:00',
  '2016-12-31T22:59:60-01:00',
  '2016-12-30T23:59:60Z',
  '2016-12-31T23:59:61Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-31',
  '2026-01-31T12:00:00',
  'yesterday',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31T12:00:00+23:59',
  '2026-01-31T12:00:00+23:60',
  '2026-01-31 12:00:00Z',
  '',
]
const TYPES = [
  'a',
  'a.b',
  'ü'.repeat(256),
  'ü'.repeat(257),
  'a'.repeat(512),
  'a'.repeat(513),
  'a*',
  '>',
  'a\nb',
  '\ud800',
  ' ',
]

type Emitted = { type: string; attributes: Record<string, unknown> }
const cases: Emitted[] = [
  ...NAMES.flatMap((name) =>
    [...TEXTS, ...OTHERS].map((value) => ({ type: 'e', attributes: own(name, value) })),
  ),
  ...[...TIMES, ...OTHERS].map((time) => ({ type: 'e', attributes: { time } })),
  ...TYPES.map((type) => ({ type, attributes: {} })),
]

function own(name: string, value: unknown): Record<string, unknown> {
  return JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`)
}

/** Whether the bus takes it, as the publisher's own event. */
async function isTaken({ type, attributes }: Emitted): Promise<boolean> {
  const takesData = Object.hasOwn(attributes, 'data') || Object.hasOwn(attributes, 'data_base64')
  if (takesData) return false
  return bus.publish({ ...attributes, type }).then(
    () => true,
    () => false,
  )
}

describe('what a function emits', () => {
  it('is refused by ctx.emit, and only there, when the bus would not take it', async () => {
    const code = `export default async (cases, ctx) => {
      const taken = []
      for (const { type, attributes } of cases) {
        taken.push(await ctx.emit(type, 1, attributes).then(() => true, (e) => e instanceof TypeError ? false : String(e)))
      }
      return taken
    }`
    const compiled = await runtime.precompileHandler(code)
    const found: [string, boolean][] = []
    const expected: [string, boolean][] = []
    for (let i = 0; i < cases.length; i += 50) {
      const some = cases.slice(i, i + 50)
      const { value, error } = await runtime.executeCompiledHandler<boolean[]>(compiled, {
        event: some,
        capabilities: ['events:emit:>', 'events:emit:*'],
      })
      expect(error).toBeUndefined()
      for (const [at, one] of some.entries()) {
        found.push([JSON.stringify(one), value![at]!])
        expected.push([JSON.stringify(one), await isTaken(one)])
      }
    }
    expect(found).toEqual(expected)
    expect(expected.filter(([, taken]) => taken).length).toBeGreaterThan(100)
  })

  it('fails the function for good when only the bus can tell, and its logs and duration are kept', async () => {
    await host.bind([
      {
        name: 'big',
        source: `export default async (event, ctx) => {
          ctx.log.info('before'); await ctx.emit('b', 'x'.repeat(1048560), { subject: 'x'.repeat(100) }).catch(() => ctx.emit('b', 'x'.repeat(1048400), { subject: 'x'.repeat(100) })) }`,
        events: 'big',
        capabilities: ['events:emit:b'],
      },
    ])
    const { id } = await bus.publish({ type: 'big' })
    await expect
      .poll(async () => (await host.runs({ id }))?.[0]?.status, { timeout: 10_000 })
      .toBe('dead-lettered')
    const [run] = (await host.runs({ id }))!
    expect(run).toMatchObject({ attempts: 1, logs: [{ message: 'before' }] })
    expect(run!.durationMs).toBeGreaterThan(0)
    expect(run!.error).toMatchObject({ code: 'EVENT_TOO_LARGE' })
  })
})
