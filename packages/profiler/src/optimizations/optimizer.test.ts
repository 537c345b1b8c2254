import { silentLogger } from '@nexus/diagnostics'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { type Scene, snapshotsOf } from '../../test/support/snapshots.js'
import { OptimizationNotApplicableError, OptimizationNotFoundError } from '../errors.js'
import { Optimizer } from './optimizer.js'

function optimizerAt(time = 0) {
  const clock = { time, now: () => clock.time }
  return { clock, optimizer: new Optimizer(clock, silentLogger) }
}

function knobAt(id: string, value: number, range = { min: 1, max: 1_000 }) {
  const knob = {
    id,
    unit: 'things',
    ...range,
    value,
    read: () => knob.value,
    write(to: number) {
      knob.value = to
    },
  }
  return knob
}

function found(scenes: readonly Scene[]): string[] {
  const { optimizer } = optimizerAt()
  optimizer.update(snapshotsOf(scenes))
  return optimizer.optimizations.map(({ id }) => id)
}

const cache = (hits: number, misses: number, evictions: number): Scene => ({
  components: { cache: { hits: { memory: hits / 2, disk: hits / 2 }, misses, evictions } },
})

it('a low hit rate with evictions is a cache too small, without evictions it is not', () => {
  expect(found([cache(0, 0, 0), cache(89, 11, 5)])).toEqual(['cache-too-small'])
  expect(found([cache(0, 0, 0), cache(89, 11, 0)])).toEqual(['cache-misses'])
  expect(found([cache(0, 0, 0), cache(90, 10, 5)])).toEqual([])
  expect(found([cache(0, 0, 0), cache(40, 59, 5)]), 'too few look-ups').toEqual([])
  expect(found([cache(0, 500, 9), cache(100, 500, 9)]), 'only what happened lately').toEqual([])
  expect(found([cache(900, 900, 9), cache(10, 0, 0)]), 'a restart').toEqual([])
})

it('calls that wait in half of the snapshots want a larger pool', () => {
  const pool = (...waiting: number[]) =>
    waiting.map((waiting) => ({ components: { pool: { waiting } } }))
  expect(found(pool(3, 0, 1, 0))).toEqual(['pool-waits'])
  expect(found(pool(3, 0, 0))).toEqual([])
  expect(found(pool(3, 3))).toEqual([])
})

it('killed threads name the functions that ran into their limit', () => {
  const figures = { executions: 9, failed: 2, durationUs: { avg: 1, p95: 1, max: 1 } }
  const functions = {
    spins: { ...figures, failuresByCode: { TIMEOUT: 2 } },
    fine: { ...figures, failuresByCode: { EXECUTION_ERROR: 2 } },
  }
  const { optimizer } = optimizerAt()
  const scene = (kills: number) => ({ components: { threads: { kills }, functions } })
  optimizer.update(snapshotsOf([scene(4), scene(4)]))
  expect(optimizer.optimizations).toEqual([])
  optimizer.update(snapshotsOf([scene(4), scene(6)]))
  expect(optimizer.optimizations[0]).toMatchObject({
    id: 'thread-kills',
    severity: 'high',
    evidence: [{ value: 2 }],
    advice: 'Look at the functions that ran into their time limit: spins.',
    change: undefined,
  })
})

it('a function is slow by itself or against the others', () => {
  const scene = (p95s: Record<string, number>, executions = 20): Scene => ({
    components: {
      functions: Object.fromEntries(
        Object.entries(p95s).map(([name, p95]) => [
          name,
          { executions, failed: 0, durationUs: { avg: p95 / 2, p95, max: p95 } },
        ]),
      ),
    },
  })
  expect(found([scene({ a: 1_000_000 })])).toEqual(['slow-function:a'])
  expect(found([scene({ a: 999_999 })])).toEqual([])
  expect(found([scene({ a: 2_000_000 }, 19)])).toEqual([])
  expect(found([scene({ a: 100, b: 100, c: 1_001 })])).toEqual(['slow-function:c'])
  expect(found([scene({ a: 100, b: 100, c: 1_000 })])).toEqual([])
})

it('the event loop is blocked when that is typical, not once', () => {
  expect(found([{ delayP99Ms: 50 }, { delayP99Ms: 50 }, { delayP99Ms: 1 }])).toEqual([
    'event-loop-delay',
  ])
  expect(found([{ delayP99Ms: 900 }, {}, {}])).toEqual([])
  expect(found([{ delayP99Ms: 900 }, { delayP99Ms: 900 }])).toEqual([])
})

it('the heap grows when what is left after collections does', () => {
  const heap = (...sizes: number[]) => sizes.map((heapUsed) => ({ heapUsed }))
  expect(found(heap(10, 19, 11, 12.1, 19, 13))).toEqual(['heap-growth'])
  expect(found(heap(10, 19, 11, 11.9, 19, 13))).toEqual([])
  expect(found(heap(10, 11, 12, 13, 14))).toEqual([])
})

const WAITS = Array.from({ length: 4 }, () => ({ components: { pool: { waiting: 2 } } }))
const CALM = Array.from({ length: 4 }, () => ({ components: { pool: { waiting: 0 } } }))

it('applying turns the knob, records before and after, and can be undone', async () => {
  const { clock, optimizer } = optimizerAt()
  const knob = knobAt('pool.maxInstances', 10)
  optimizer.registerKnob(knob)
  optimizer.update(snapshotsOf(WAITS))
  const [suggested] = optimizer.optimizations
  expect(suggested!.change).toEqual({ knob: 'pool.maxInstances', unit: 'things', from: 10, to: 15 })

  clock.time = 4_500
  await optimizer.apply('pool-waits')
  expect(knob.value).toBe(15)
  expect(suggested).toMatchObject({ state: 'applied', result: { appliedMs: 4_500, before: 1 } })
  expect(suggested!.result!.after).toBeUndefined()

  optimizer.update([...snapshotsOf(WAITS), ...snapshotsOf(CALM, 5)])
  expect(suggested!.result!.after).toBe(0)
  expect(optimizer.optimizations).toEqual([suggested])

  await optimizer.undo('pool-waits')
  expect(knob.value).toBe(10)
  expect(suggested!.state).toBe('undone')
  await expect(optimizer.undo('pool-waits')).rejects.toThrow(OptimizationNotApplicableError)
  await expect(optimizer.apply('pool-waits')).rejects.toThrow('was undone before')
})

it('what does not help enough is suggested again, judged by what came after', async () => {
  const { clock, optimizer } = optimizerAt()
  optimizer.registerKnob(knobAt('pool.maxInstances', 10))
  optimizer.update(snapshotsOf(WAITS))
  clock.time = 4_500
  await optimizer.apply('pool-waits')
  const snapshots = [...snapshotsOf(WAITS), ...snapshotsOf(WAITS.slice(0, 2), 5)]
  optimizer.update(snapshots)
  expect(optimizer.optimizations.map(({ id }) => id)).toEqual(['pool-waits'])
  optimizer.update([...snapshots, ...snapshotsOf(WAITS.slice(0, 2), 7)])
  expect(optimizer.optimizations.map(({ id, change }) => [id, change?.to])).toEqual([
    ['pool-waits#2', 23],
    ['pool-waits', 15],
  ])
})

it('a knob is not turned past its range, nor at its end', async () => {
  const { optimizer } = optimizerAt()
  const knob = knobAt('pool.maxInstances', 10, { min: 1, max: 12 })
  optimizer.registerKnob(knob)
  optimizer.update(snapshotsOf(WAITS))
  expect(optimizer.optimizations[0]!.change!.to).toBe(12)
  knob.value = 12
  optimizer.update(snapshotsOf(WAITS))
  expect(optimizer.optimizations[0]!.change).toBeUndefined()
  await expect(optimizer.apply('pool-waits')).rejects.toThrow('is advice: Raise the number')
})

it('without a knob, or with one that cannot be read, it is advice', () => {
  const { optimizer } = optimizerAt()
  optimizer.update(snapshotsOf(WAITS))
  expect(optimizer.optimizations[0]!.change).toBeUndefined()
  const broken = {
    ...knobAt('pool.maxInstances', 10),
    read() {
      throw new Error('down')
    },
  }
  optimizer.registerKnob(broken)
  optimizer.update(snapshotsOf(WAITS))
  expect(optimizer.optimizations[0]!.change).toBeUndefined()
})

it('a knob that cannot be turned leaves the suggestion, and is not tried again by itself', async () => {
  const { optimizer } = optimizerAt()
  let tries = 0
  optimizer.registerKnob({
    ...knobAt('pool.maxInstances', 10),
    write() {
      tries++
      throw new Error('read-only')
    },
  })
  optimizer.update(snapshotsOf(WAITS))
  await optimizer.applyAll()
  optimizer.update(snapshotsOf(WAITS))
  await optimizer.applyAll()
  expect(tries).toBe(1)
  expect(optimizer.optimizations[0]).toMatchObject({ state: 'suggested', failure: 'read-only' })
  await expect(optimizer.apply('pool-waits')).rejects.toThrow('read-only')
  expect(tries).toBe(2)
})

it('an unknown optimization and a wrong knob are errors', async () => {
  const { optimizer } = optimizerAt()
  await expect(optimizer.apply('nothing')).rejects.toThrow(OptimizationNotFoundError)
  expect(() => optimizer.registerKnob(knobAt('k', 1, { min: 2, max: 1 }))).toThrow('got 2 and 1')
  for (const wrong of [
    null,
    undefined,
    { ...knobAt('k', 1), read: undefined },
    { id: 'k', min: 1, max: 2 },
  ]) {
    expect(() => optimizer.registerKnob(wrong as never)).toThrow(
      'to have the functions read and write',
    )
  }
  const remove = optimizer.registerKnob(knobAt('k', 1))
  expect(() => optimizer.registerKnob(knobAt('k', 1))).toThrow('There already is a knob k')
  remove()
  optimizer.registerKnob(knobAt('k', 1))
})

it('what is applied, undone or fails is logged', async () => {
  const logger = new RecordingLogger()
  const optimizer = new Optimizer({ now: () => 0 }, logger)
  optimizer.registerKnob(knobAt('cache.maxBytes', 10))
  const failing = () => {
    throw new Error('no')
  }
  optimizer.registerRule({ id: 'fails', find: failing, measure: failing })
  optimizer.update(snapshotsOf([cache(0, 0, 0), cache(89, 11, 5)]))
  optimizer.update(snapshotsOf([cache(0, 0, 0), cache(89, 11, 5)]))
  expect(logger.entries).toEqual([
    {
      level: 'warn',
      fields: { rule: 'fails', reason: 'no' },
      message: 'a rule for optimizations failed',
    },
  ])
  const [suggested] = optimizer.optimizations
  await optimizer.apply(suggested!.id)
  await optimizer.undo(suggested!.id)
  expect(logger.messages('info')).toEqual([
    'an optimization was applied',
    'an optimization was undone',
  ])
})
