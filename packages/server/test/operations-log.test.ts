import type { EventBus } from '@nexus/event-bus'
import type { RuntimeCache } from '@nexus/executor'
import { MetricsCollector } from '@nexus/metrics'
import { OperationsLog } from '@nexus/server'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'

/** A server whose figures the test sets. */
function scene() {
  const figures = {
    ...{ published: 0, emitted: 0, delivered: 0, failed: 0, deadLettered: 0 },
    ...{ hits: 0, compiles: 0 },
  }
  const metrics = new MetricsCollector()
  const logger = new RecordingLogger()
  const lines = logger.entries
  const watch = new OperationsLog({
    ...{ logger, metrics },
    bus: { getStats: async () => figures } as unknown as EventBus,
    cache: {
      getStats: () => ({
        handlers: {
          compiles: figures.compiles,
          memory: { hits: figures.hits },
          disk: { hits: 0 },
        },
        modules: { hits: 0, misses: 0 },
      }),
    } as unknown as RuntimeCache,
  })
  onTestFinished(() => watch.close())
  return { figures, metrics, logger, lines, watch }
}

it('sums up every five looks, since the summary before', async () => {
  const { figures, lines, watch } = scene()
  for (let look = 1; look <= 10; look++) {
    figures.published += 3
    figures.delivered += 2
    await watch.look()
  }
  expect(lines.map(({ message }) => message)).toEqual(['summary', 'summary'])
  for (const { level, fields } of lines) {
    expect(level).toBe('info')
    expect(fields).toMatchObject({ minutes: 5, published: 15, delivered: 10, averageMs: null })
  }
})

it.each([
  ['answers less than half', { hits: 49, compiles: 51 }, { hits: 50, compiles: 50 }],
  ['many deliveries fail', { delivered: 15, failed: 5 }, { delivered: 16, failed: 4 }],
])('warns when it is over the limit (%s), and not at it', async (message, over, at) => {
  const first = scene()
  Object.assign(first.figures, at)
  await first.watch.look()
  expect(first.lines).toEqual([])
  const second = scene()
  Object.assign(second.figures, over)
  await second.watch.look()
  expect(second.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(message) }])
})

it('warns of functions that are slow lately', async () => {
  const { metrics, lines, watch } = scene()
  const run = (durationUs: number) =>
    metrics.recordExecution(
      { functionName: 'f', status: 'success', cacheTier: 'memory', durationUs },
      true,
    )
  for (let i = 0; i < 1_000; i++) run(10)
  await watch.look()
  expect(lines).toEqual([])
  for (let i = 0; i < 20; i++) run(1_100_000)
  await watch.look()
  expect(lines).toMatchObject([{ message: 'functions are slow', fields: { averageMs: 1100 } }])
})

it('says the same at most once in ten looks', async () => {
  const { figures, logger, watch } = scene()
  for (let look = 1; look <= 21; look++) {
    figures.delivered += 15
    figures.failed += 15
    await watch.look()
  }
  expect(logger.messages('warn')).toHaveLength(3)
})

it('a bus that does not answer ends nothing', async () => {
  const logger = new RecordingLogger()
  const lines = logger.entries
  const bus = { getStats: () => Promise.reject(new Error('away')) } as unknown as EventBus
  const cache = {} as RuntimeCache
  const watch = new OperationsLog({ logger, bus, cache, metrics: new MetricsCollector() })
  await watch.look()
  watch.close()
  expect(lines).toEqual([])
})
