import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { EventBus } from '../../../event-bus.js'
import { memoryStore } from '../../../memory/memory-store.js'
import type { EventStore } from '../../../store/event-store.js'
import { readLedger, untilEmptiedIsSaid } from './event-ledger.js'
import {
  drained,
  handleFaultEvents,
  NEWER,
  notesIn,
  publishLane,
  sharedNowMs,
} from './fault-worker.js'

/** Twice through all kinds of events, poison included. */
const EVENTS = 28

/** What one process publishes to a store and handles. */
async function work(store: EventStore): Promise<{ directory: string; bus: EventBus }> {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-ledger-'))
  const bus = await EventBus.open({ store })
  const note = notesIn(directory)
  await handleFaultEvents(bus, [...NEWER[0]![0]!], note)
  await publishLane(bus, 'w0a', note, EVENTS)
  await drained(bus)
  return { directory, bus }
}

function read({ directory, bus }: Awaited<ReturnType<typeof work>>, emptiedAtMs: number[] = []) {
  return readLedger(directory, bus, 'seed', { emptiedAtMs, isMixed: false, isStepped: false })
}

/** A memory store that acks an event which it does not store. */
function storeThatLoses(id: string): EventStore {
  const store = memoryStore()
  const append = store.append.bind(store)
  store.append = async (events, durability) => {
    if (events.every(({ event }) => event.id !== id)) return append(events, durability)
    return [{ id, duplicate: false, sequence: 0 }]
  }
  return store
}

let sound: Awaited<ReturnType<typeof work>>
let losing: Awaited<ReturnType<typeof work>>
beforeAll(async () => {
  ;[sound, losing] = await Promise.all([work(memoryStore()), work(storeThatLoses('w0a-3-plain'))])
})
afterAll(async () => {
  for (const { bus, directory } of [sound, losing]) {
    await bus.close()
    rmSync(directory, { recursive: true })
  }
})

it('counts what became of the events', async () => {
  const ledger = await read(sound)
  const poison = 2
  expect(ledger).toEqual({
    acked: EVENTS,
    handled: 2 * (EVENTS - poison),
    deadLettered: 2 * poison,
    saidLost: 0,
    handledAgain: 0,
    emitted: EVENTS - poison,
  })
})

it('fails when the store lost an event that it acked', async () => {
  const check = read(losing)
  await expect(check).rejects.toThrow(/^seed: acked events .*ordered w0a-3-plain/s)
})

it('accepts that an emptied server lost an event which was acked before', async () => {
  const emptiedAtMs = sharedNowMs()
  const ledger = await read(losing, [emptiedAtMs])
  expect(ledger).toMatchObject({ saidLost: 2, handled: 2 * (EVENTS - 3) })
})

it('fails when an event is lost that was acked after the server was emptied', async () => {
  const [, , atMs] = lines('acked', losing.directory).find(([id]) => id === 'w0a-3-plain')!
  const check = read(losing, [Number(atMs) - 1_500])
  await expect(check).rejects.toThrow('ordered w0a-3-plain')
})

it('fails when no process said that the server was emptied', async () => {
  const emptiedAtMs = sharedNowMs()
  const check = untilEmptiedIsSaid(sound.directory, emptiedAtMs, 0)
  await expect(check).rejects.toThrow('no worker said that the server was emptied')
  notesIn(sound.directory)('emptied', emptiedAtMs, 'w0')
  await untilEmptiedIsSaid(sound.directory, emptiedAtMs, 0)
})

const BROKEN: [promise: string, file: string, change: (notes: string[][]) => string[][], RegExp][] =
  [
    [
      'a handler was started too often',
      'started',
      (notes) => [...notes, ...Array.from({ length: 4 }, () => ['ordered', 'w0a-0-plain', '2'])],
      /started too often.*ordered w0a-0-plain/s,
    ],
    [
      'an attempt has a number over the limit',
      'started',
      (notes) => [...notes, ['ordered', 'w0a-12-poison', '5']],
      /w0a-12-poison got attempt 5/,
    ],
    [
      'events of a key were handled in another order',
      'handled',
      (notes) => {
        const isFirst = ([group, id]: string[]) => group === 'ordered' && id === 'w0a-0-plain'
        return [...notes.filter((one) => !isFirst(one)), ...notes.filter(isFirst)]
      },
      /w0a-0-plain was handled after number/,
    ],
    [
      'an event came before its time',
      'early',
      () => [['ordered', 'w0a-6-delayed']],
      /events that came before their time/,
    ],
    [
      'an event was emitted under two ids',
      'emitted',
      (notes) => [...notes, ['w0a-0-plain', 'another']],
      /w0a-0-plain emitted under two ids/,
    ],
    [
      'an emitted event was not handled',
      'emitted',
      (notes) => notes.filter(([of]) => of !== 'w0a-0-plain'),
      /emitted events that were never handled/,
    ],
  ]

for (const [promise, file, change, message] of BROKEN) {
  it(`fails when ${promise}`, async () => {
    const path = join(sound.directory, file)
    const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const changed = change(lines(file, sound.directory))
    writeFileSync(path, changed.map((words) => `${words.join(' ')}\n`).join(''))
    try {
      await expect(read(sound)).rejects.toThrow(message)
    } finally {
      writeFileSync(path, before)
    }
  })
}

function lines(file: string, directory: string): string[][] {
  const path = join(directory, file)
  return (existsSync(path) ? readFileSync(path, 'utf8') : '')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
}
