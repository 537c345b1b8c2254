import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@nexus/diagnostics'
import { EventBusError, type EventStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'
import { expect, it, onTestFinished, vi } from 'vitest'
import { memory } from './bus/memory.js'
import { openBus } from './bus/open-bus.js'
import { loadConfig } from './config/load-config.js'
import { functionDefinitions } from './function-definitions.js'

/** A bus with the functions of a nexus.yaml, and what its store is asked for. */
async function run(
  yaml: string,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-settings-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const texts = { 'nexus.yaml': yaml, 'one.js': 'export default (event) => event.data', ...files }
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, name), text)
  const config = await loadConfig(join(directory, 'nexus.yaml'), {}, env)
  const written: number[] = []
  const fetched: number[] = []
  const opened: EventStore[] = []
  const openStore = memory.openStore
  const opening = vi.spyOn(memory, 'openStore').mockImplementation(async (settings) => {
    const store = await openStore(settings)
    watch(store, written, fetched)
    opened.push(store)
    return store
  })
  onTestFinished(() => opening.mockRestore())
  const bus = await openBus(config, silentLogger)
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  const host = new FunctionHost({ bus, runtime })
  onTestFinished(async () => {
    await host.close()
    await bus.close()
    await runtime.shutdown()
  })
  await host.bind(functionDefinitions(config.functions))
  return { bus, host, directory, written, fetched, store: () => opened[0]! }
}

/** Notes how many events each write and each fetch is about. */
function watch(store: EventStore, written: number[], fetched: number[]): void {
  const { append, openGroup } = store
  store.append = (requests, ...rest) => {
    written.push(requests.length)
    return append.call(store, requests, ...rest)
  }
  store.openGroup = async (request) => {
    const consumer = await openGroup.call(store, request)
    const { fetch } = consumer
    consumer.fetch = (count, ...rest) => {
      fetched.push(count)
      return fetch.call(consumer, count, ...rest)
    }
    return consumer
  }
}

const functionWith = (settings: string) =>
  `bus: memory\nfunctions:\n  - { name: one, source: ./one.js, events: [a], ${settings} }\n`
const events = (count: number) => Array.from({ length: count }, (_, data) => ({ type: 'a', data }))

it('publisher.batching bounds what one write of the store holds', async () => {
  const settings = 'bus: memory\npublisher: { batching: { maxSize: 2, maxWaitMs: 5 } }\n'
  const { bus, written } = await run(settings)
  await bus.publishBatch(events(5))
  expect(written).toEqual([2, 2, 1])
})

it('publisher.retry is how often a write without an answer is tried', async () => {
  const publisher = 'publisher: { retry: { maxAttempts: 4, baseDelayMs: 1 } }'
  const { bus, store } = await run(`bus: memory\n${publisher}\n`)
  const failing = vi.spyOn(store(), 'append')
  failing.mockRejectedValue(new EventBusError('STORE_UNAVAILABLE', 'away'))
  await expect(bus.publish({ type: 'a' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(failing).toHaveBeenCalledTimes(4)
})

it('fetch.batchSize bounds what a function takes at once', async () => {
  const { bus, fetched } = await run(functionWith('fetch: { batchSize: 3 }, concurrency: 20'))
  await bus.publishBatch(events(9))
  await expect.poll(async () => (await bus.getStats()).delivered).toBe(9)
  expect(Math.max(...fetched)).toBe(3)
})

it('fetch.maxWaitMs is how long events gather after fewer than wanted came', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  const { bus } = await run(functionWith('fetch: { maxWaitMs: 54321 }'))
  await bus.publish({ type: 'a' })
  await expect.poll(() => timers.mock.calls.map(([, delayMs]) => delayMs)).toContain(54_321)
})

it.each([
  ['start: beginning', 2],
  ['start: now', 1],
  ['concurrency: 1', 1],
])('a function that the bus has never seen begins as it says: %s', async (settings, handled) => {
  const { bus, host, directory } = await run('bus: memory\n')
  await bus.publish({ type: 'a' })
  const file = join(directory, 'nexus.yaml')
  await writeFile(file, functionWith(settings))
  await host.bind(functionDefinitions((await loadConfig(file, {}, {})).functions))
  await bus.publish({ type: 'a' })
  await expect.poll(async () => (await bus.getStats()).delivered).toBe(handled)
})

it('retry.factor and retry.jitter shape the waits between attempts', async () => {
  const retry = 'retry: { maxAttempts: 4, baseDelayMs: 2, factor: 3, jitter: 0, maxDelayMs: 10 }'
  const { bus } = await run(functionWith(retry), {
    'one.js': "export default () => { throw new Error('always') }",
  })
  const waits: (number | undefined)[] = []
  bus.on('failed', ({ nextDelayMs }) => waits.push(nextDelayMs))
  await bus.publish({ type: 'a' })
  await expect.poll(() => waits).toEqual([2, 6, 10, undefined])
})

it.each([
  ['in nexus.yaml', 'schema: { type: object, required: [total] }'],
  ['in a file', 'schema: ./total.schema.json'],
])(
  'a schema %s makes an event that does not fit a dead letter with the reason',
  async (_, schema) => {
    const { bus, host } = await run(functionWith(schema), {
      'total.schema.json': '{ "type": "object", "required": ["total"] }',
    })
    const { id } = await bus.publish({ type: 'a', data: {} })
    await expect
      .poll(() => host.runs({ id }))
      .toMatchObject([{ status: 'dead-lettered', attempts: 1, error: { code: 'SCHEMA_MISMATCH' } }])
    const { deadLetters: entries } = await bus.deadLetters.list()
    expect(entries[0]?.error.message).toContain("data must have required property 'total'")
  },
)

it('a schema file that is missing or no schema is a mistake with its place', async () => {
  const wrong = functionWith('schema: ./total.schema.json')
  await expect(run(wrong)).rejects.toThrow(
    /nexus\.yaml:3:\d+: schema \.\/total\.schema\.json: there is no such file/,
  )
  const list = { 'total.schema.json': '[]' }
  await expect(run(wrong, list)).rejects.toThrow(/expected a JSON Schema: an object/)
})

it('NEXUS_DATA_KEY encrypts what the local bus keeps, and older keys behind a comma decrypt', async () => {
  const [first, second] = ['ab'.repeat(32), 'cd'.repeat(32)]
  const { bus, directory } = await run('bus: local\n', {}, { NEXUS_DATA_KEY: first })
  const { id } = await bus.publish({ type: 'a', data: 'a telling text' })
  await bus.close()
  const dataDir = join(directory, '.nexus')
  for (const name of await readdir(dataDir)) {
    expect((await readFile(join(dataDir, name))).includes('a telling text')).toBe(false)
  }
  const reopen = async (key: string) =>
    openBus(
      await loadConfig(join(directory, 'nexus.yaml'), {}, { NEXUS_DATA_KEY: key }),
      silentLogger,
    )
  const rotated = await reopen(`${second}, ${first}`)
  expect((await rotated.get(id))?.event.data).toBe('a telling text')
  await rotated.close()
  for (const wrong of ['short', `${first},short`]) {
    const refused = reopen(wrong)
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(refused).rejects.toThrow(/environment variable NEXUS_DATA_KEY: expected 32 bytes/)
  }
})

it('NEXUS_DATA_KEY is refused where it encrypts nothing', async () => {
  const opening = run('bus: memory\n', {}, { NEXUS_DATA_KEY: 'ab'.repeat(32) })
  await expect(opening).rejects.toThrow(
    /NEXUS_DATA_KEY encrypts the local bus only, and bus is memory/,
  )
})
