import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  compactLocalStore,
  type DataKeyOptions,
  EventBus,
  inspectLocalStore,
  localStore,
  recoverLocalStore,
} from '@nexus/event-bus'
import { afterEach, beforeEach, expect, it } from 'vitest'

let path: string

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'nexus-key-'))
})

afterEach(() => {
  rmSync(path, { recursive: true, force: true })
})

const newKey = (): string => randomBytes(32).toString('base64')

const openBus = async (
  dataKey?: DataKeyOptions,
  directory = path,
  readOnly = false,
): Promise<EventBus> => EventBus.open({ store: localStore({ path: directory, dataKey, readOnly }) })

/** Publishes, and lets one group succeed, one fail for good and one wait for its retry; all of them say the secret. */
async function fill(dataKey: DataKeyOptions | undefined, id: string): Promise<void> {
  const bus = await openBus(dataKey)
  const fails = (): never => {
    throw new Error('the card is marmalade')
  }
  bus.subscribe('a', () => ({ record: { result: 'marmalade', logs: ['marmalade'] } }), {
    group: 'good',
  })
  bus.subscribe('a', fails, { group: 'dead', retry: { maxAttempts: 1 } })
  await bus.subscribe('a', fails, { group: 'later', retry: { baseDelayMs: 5_000 } }).ready
  await bus.publish({ type: 'a', id, subject: 'marmalade', data: { card: 'marmalade' } })
  await expect
    .poll(async () => (await bus.get(id))?.deliveries.map(({ status }) => status).toSorted())
    .toEqual(['dead-lettered', 'retrying', 'succeeded'])
  await bus.close()
}

const filesWith = (text: string): string[] =>
  readdirSync(path).filter((file) => readFileSync(join(path, file)).includes(text))

async function reads(bus: EventBus, id: string): Promise<void> {
  const found = await bus.get(id)
  expect(found?.event.data).toEqual({ card: 'marmalade' })
  const said = found?.deliveries.map(
    ({ record, error }) => JSON.stringify(record) ?? error?.message,
  )
  expect(said?.toSorted()).toEqual([
    'the card is marmalade',
    'the card is marmalade',
    '{"result":"marmalade","logs":["marmalade"]}',
  ])
  const { deadLetters } = await bus.deadLetters.list()
  expect(deadLetters.some(({ error }) => error.message === 'the card is marmalade')).toBe(true)
  expect((await bus.list({ type: 'a' })).events.some(({ event }) => event.id === id)).toBe(true)
}

it('encrypts events, results, logs and errors in every file, and reads them again', async () => {
  await fill(undefined, 'clear')
  expect(filesWith('marmalade')).toEqual(['events.mdb'])
  rmSync(path, { recursive: true })
  const key = { current: newKey() }
  await fill(key, 'x')
  expect(filesWith('marmalade')).toEqual([])
  await compactLocalStore(path)
  expect(filesWith('marmalade')).toEqual([])
  const bus = await openBus(key)
  await reads(bus, 'x')
  await bus.close()
  const reader = await openBus(key, path, true)
  await reads(reader, 'x')
  await reader.close()
})

it('reads with old keys, writes with the current one, and says which key is missing', async () => {
  const [first, second] = [newKey(), randomBytes(32)]
  await fill({ current: first }, 'x')
  for (const wrong of [undefined, { current: second }]) {
    for (const readOnly of [false, true]) {
      await expect(openBus(wrong, path, readOnly)).rejects.toMatchObject({
        code: 'INVALID_OPTIONS',
        message: expect.stringMatching(
          /dataKey: expected the keys .* missing: [0-9a-f]{16}\. Give/,
        ),
      })
    }
  }
  await fill({ current: second, previous: [first] }, 'y')
  expect(filesWith('marmalade')).toEqual([])
  await expect(openBus({ current: second })).rejects.toThrow(/missing/)
  await expect(openBus({ current: first })).rejects.toThrow(/missing/)
  const bus = await openBus({ current: second, previous: [first] })
  await reads(bus, 'x')
  await reads(bus, 'y')
  await bus.close()
})

it.each(['', 'short', 'x'.repeat(44), randomBytes(31), 5])(
  'refuses what is no key, and does not show it: %#',
  async (current) => {
    const failure = await openBus({ current } as DataKeyOptions).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('dataKey.current: expected 32 bytes'),
    })
    if (current === 'x'.repeat(44)) expect(String(failure)).not.toContain('xxx')
  },
)

it('is inspected without the key and recovered with it, which drops old keys', async () => {
  const [first, second] = [newKey(), newKey()]
  await fill({ current: first }, 'x')
  expect(await inspectLocalStore(path)).toMatchObject({ problem: undefined, recoverableEvents: 1 })
  const to = join(path, 'new')
  await expect(recoverLocalStore({ from: path, to })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
  })
  const dataKey = { current: second, previous: [first] }
  expect(await recoverLocalStore({ from: path, to, dataKey })).toMatchObject({ events: 1 })
  const bus = await openBus({ current: second }, to)
  expect((await bus.get('x'))?.event.data).toEqual({ card: 'marmalade' })
  await bus.close()
})

it('notices an event whose encrypted bytes were moved or changed', async () => {
  const key = { current: newKey() }
  await fill(key, 'x')
  const file = join(path, 'events.mdb')
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf('NXE1'); at >= 0; at = bytes.indexOf('NXE1', at + 1)) {
    bytes[at + 80]! ^= 1
  }
  writeFileSync(file, bytes)
  const bus = await openBus(key)
  await expect(bus.get('x')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  await bus.close()
})

it('an event stored before the store had a key is read with one', async () => {
  await fill(undefined, 'x')
  const bus = await openBus({ current: newKey() })
  await reads(bus, 'x')
  await bus.close()
})
