import { expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { MemoryEngine } from '../../memory/memory-engine.js'
import { DEFAULT_PAGE_BYTES } from '../../store/backend/page-size.js'
import type { AppendRequest } from '../../store/event-store.js'
import type { EventPage, ListQuery } from '../../store/queries.js'
import type { LogRecord, RangeOptions, TableKey, TableName, TableValue } from '../log-engine.js'
import { LogStore } from '../log-store.js'
import { MAX_SCANNED_BYTES } from './list-events.js'

const EVENT_BYTES = 1_000_000

/** An engine that counts the bytes of the events that are read. */
class CountingEngine extends MemoryEngine {
  bytes = 0

  override get<N extends TableName>(table: N, key: TableKey<N>): TableValue<N> | undefined {
    const value = super.get(table, key)
    if (table === 'events' && value !== undefined) this.#count(value as LogRecord)
    return value
  }

  override *range<N extends TableName>(
    table: N,
    options: RangeOptions<TableKey<N>>,
  ): Iterable<{ key: TableKey<N>; value: TableValue<N> }> {
    for (const entry of super.range(table, options)) {
      if (table === 'events') this.#count(entry.value as LogRecord)
      yield entry
    }
  }

  #count({ json }: LogRecord): void {
    this.bytes += Buffer.byteLength(json)
  }
}

function requestOf(id: string, type: string, data?: string): AppendRequest {
  const time = '2026-01-01T00:00:00Z'
  const event = { specversion: '1.0' as const, id, source: '/test', type, time, data: data ?? null }
  return { event, json: JSON.stringify(event), hasFreshId: true }
}

async function openStore() {
  const engine = new CountingEngine()
  const store = new LogStore({
    openEngine: async () => engine,
    durability: 'memory',
    durable: false,
    retention: {},
  })
  await store.open({
    clock: systemClock,
    onConnected() {},
    onDisconnected() {},
    onEmptied() {},
    onRepaired() {},
    onError() {},
  })
  return { engine, store }
}

/** A store with `count` events of 1 MB, behind small ones of many types. */
async function largeStore(count: number) {
  const { engine, store } = await openStore()
  const data = 'x'.repeat(EVENT_BYTES)
  // More types than the index is asked for.
  const small = Array.from({ length: 1_100 }, (_, n) => requestOf(`s${n}`, `many.t${n}`))
  await store.append(small, undefined)
  await store.append(
    Array.from({ length: count }, (_, n) => requestOf(`e${n}`, `large.${n}`, data)),
    undefined,
  )
  return { engine, store }
}

async function readAll(
  list: (query: ListQuery) => Promise<EventPage>,
  query: ListQuery,
): Promise<EventPage[]> {
  const pages: EventPage[] = []
  let cursor: string | undefined
  do {
    const page = await list({ ...query, cursor })
    pages.push(page)
    cursor = page.cursor
  } while (cursor !== undefined)
  return pages
}

it.each([
  { what: 'a pattern of more types than the index is asked for', query: { type: '*.t7' } },
  { what: 'a source and a pattern', query: { type: '*.t7', source: '/test' } },
  { what: 'a status', query: { status: 'succeeded' as const } },
])(
  'a page that finds little reads no more than its bound, and goes on: $what',
  async ({ query }) => {
    const { engine, store } = await largeStore(60)
    const perPage: number[] = []
    const pages = await readAll(async (asked) => {
      engine.bytes = 0
      const page = await store.list(asked)
      perPage.push(engine.bytes)
      return page
    }, query)
    expect(Math.max(...perPage)).toBeLessThanOrEqual(MAX_SCANNED_BYTES + 2 * EVENT_BYTES)
    expect(pages.length).toBeGreaterThan(3)
    const ids = pages.flatMap(({ events }) => events.map(({ event }) => event.id))
    expect(ids).toEqual('status' in query ? [] : ['s7'])
    await store.close()
  },
)

it.each(['asc', 'desc'] as const)(
  'a page of large events reads little more than it shows: %s',
  async (order) => {
    const { engine, store } = await largeStore(30)
    engine.bytes = 0
    const page = await store.list({
      limit: 1_000,
      order,
      ...(order === 'asc' && { type: 'large.>' }),
    })
    expect(page.events).toHaveLength(5)
    expect(engine.bytes).toBeLessThanOrEqual(DEFAULT_PAGE_BYTES + 3 * EVENT_BYTES)
    const all = await readAll((asked) => store.list(asked), {
      limit: 1_000,
      type: 'large.>',
      order,
    })
    const ids = all.flatMap(({ events }) => events.map(({ event }) => event.id))
    const wanted = Array.from({ length: 30 }, (_, n) => `e${n}`)
    expect(ids).toEqual(order === 'asc' ? wanted : wanted.reverse())
    await store.close()
  },
)

it('others get their turn while a page is read', async () => {
  const { store } = await largeStore(12)
  let turns = 0
  const count = (): void => {
    turns += 1
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  await store.list({ type: '*.t7' })
  clearImmediate(next)
  expect(turns).toBeGreaterThan(5)
  await store.close()
})

it('a group that catches up keeps a bounded part of large events in memory', async () => {
  const { engine, store } = await largeStore(60)
  const request = { name: 'g', patterns: ['large.>'], ordered: false, ackWaitMs: 30_000 }
  const consumer = await store.openGroup({ ...request, start: 'beginning' })
  engine.bytes = 0
  const [claim] = await consumer.fetch(1, new AbortController().signal)
  expect(claim?.event.id).toBe('e0')
  expect(engine.bytes).toBeLessThan(12 * EVENT_BYTES)
  await store.close()
})
