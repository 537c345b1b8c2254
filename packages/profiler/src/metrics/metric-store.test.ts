import { expect, it } from 'vitest'
import { InvalidMetricError, MetricNotFoundError } from '../errors.js'
import { MetricStore } from './metric-store.js'

function storeAt(time: number, limits: { maxMetrics?: number; metricsRetentionMs?: number } = {}) {
  const clock = { time, now: () => clock.time }
  const store = new MetricStore({ maxMetrics: 100, metricsRetentionMs: 1_000, ...limits }, clock)
  return { clock, store }
}

const query = { name: 'db.query', category: 'Database', value: 3, unit: 'ms' } as const

it('a metric gets an id, the time, and defaults', () => {
  const { store } = storeAt(5_000)
  const metric = store.record({ name: 'n', value: 1, unit: 'ms' })
  expect(metric).toEqual({
    id: 'metric-1',
    name: 'n',
    category: 'Custom',
    value: 1,
    unit: 'ms',
    timestamp: 5_000,
    metadata: {},
  })
  expect(store.get('metric-1')).toBe(metric)
})

it('metrics are found by name, category, time and number', () => {
  const { clock, store } = storeAt(0)
  for (let i = 0; i < 5; i++) {
    clock.time = i * 100
    store.record({ ...query, value: i })
    store.record({ name: 'other', value: i, unit: 'x' })
  }
  const values = (filter: Parameters<typeof store.find>[0]) =>
    store.find(filter).map(({ value }) => value)
  expect(values({ name: 'db.query' })).toEqual([0, 1, 2, 3, 4])
  expect(values({ category: 'Database', since: 100, until: 300 })).toEqual([1, 2])
  expect(values({ name: 'other', limit: 2 })).toEqual([3, 4])
  expect(values({ name: 'nothing' })).toEqual([])
})

it('a metric is kept until it is older than the retention', () => {
  const { clock, store } = storeAt(0)
  const { id } = store.record(query)
  clock.time = 1_000
  expect(store.find()).toHaveLength(1)
  clock.time = 1_001
  expect(store.find()).toEqual([])
  expect(() => store.get(id)).toThrow(MetricNotFoundError)
})

it('the oldest make room: a million metrics are no more than the limit', () => {
  const { store } = storeAt(0, { maxMetrics: 50 })
  for (let i = 0; i < 100_000; i++) store.record({ ...query, value: i })
  expect(store.size).toBe(50)
  expect(store.recorded).toBe(100_000)
  expect(store.find()[0]!.value).toBe(99_950)
})

it.each([
  [null, 'an object, got null'],
  ['x', 'an object, got "x"'],
  [{ ...query, name: '' }, 'name of a metric to be a text of 1 to 200 characters, got ""'],
  [{ ...query, name: 'n'.repeat(201) }, 'name'],
  [{ ...query, value: Number.NaN }, 'value of a metric to be a finite number, got NaN'],
  [{ ...query, value: '3' }, 'value of a metric to be a finite number, got "3"'],
  [{ ...query, unit: 7 }, 'unit'],
  [{ ...query, category: 'Database ' }, 'category of a metric to be one of Cpu, Memory'],
  [{ ...query, timestamp: Number.POSITIVE_INFINITY }, 'timestamp'],
  [{ ...query, metadata: [] }, 'metadata'],
  [{ ...query, metadata: { nested: { a: 1 } } }, 'metadata.nested'],
  [{ ...query, metadata: { long: 'x'.repeat(1_001) } }, 'metadata.long'],
  [
    { ...query, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])) },
    'at most 16 keys',
  ],
])('%j is refused', (input, message) => {
  const { store } = storeAt(0)
  expect(() => store.record(input)).toThrow(InvalidMetricError)
  expect(() => store.record(input)).toThrow(message)
  expect(store.size).toBe(0)
})

it('limits are allowed up to the last character', () => {
  const { store } = storeAt(0)
  const metadata = { long: 'x'.repeat(1_000), yes: true, n: -1 }
  expect(store.record({ ...query, name: 'n'.repeat(200), metadata }).metadata).toEqual(metadata)
})

it('a metric keeps the id it brings, and a new id is none that is kept', () => {
  const { store } = storeAt(0)
  expect(store.record({ ...query, id: 'metric-2' }).id).toBe('metric-2')
  expect(store.record(query).id).toBe('metric-3')
  expect(store.record(query).id).toBe('metric-4')
  expect(store.get('metric-2')).toMatchObject(query)
  expect(() => store.record({ ...query, id: 'metric-2' })).toThrow('is kept already')
  for (const id of ['', 'x'.repeat(201), 7, null]) {
    expect(() => store.record({ ...query, id })).toThrow(InvalidMetricError)
  }
  expect(store.recorded).toBe(3)
})

it.each(['Id', 'colour', 'time', 'constructor', '__proto__ '])(
  'a metric with the field %s is refused by its name',
  (field) => {
    const { store } = storeAt(0)
    expect(() => store.record({ ...query, [field]: 1 })).toThrow(`A metric has no field "${field}"`)
  },
)
