import { MetricsRegistry } from '@nexus/metrics'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'

it('a metric that refuses updates is logged once', () => {
  const logger = new RecordingLogger()
  const registry = new MetricsRegistry({ logger, maxSeriesPerMetric: 1 })
  const requests = registry.counter({
    name: 'requests_total',
    help: 'Requests.',
    labelNames: ['id'],
  })
  for (const id of ['a', 'b', 'c']) requests.inc({ id })
  expect(logger.entries).toEqual([
    {
      level: 'warn',
      fields: { metric: 'requests_total' },
      message: 'a metric has as many label sets as it may have: others are refused',
    },
  ])
})

it('a metric that cannot be read is logged once', () => {
  const logger = new RecordingLogger()
  const registry = new MetricsRegistry({ logger })
  registry.gauge({
    name: 'depth',
    help: 'Depth.',
    collect: () => {
      throw new Error('no')
    },
  })
  registry.toPrometheus()
  registry.toPrometheus()
  expect(logger.entries).toMatchObject([
    { level: 'warn', fields: { metric: 'depth' }, message: expect.stringContaining('read') },
  ])
})

it('a logger without its methods is refused', () => {
  expect(() => new MetricsRegistry({ logger: {} as never })).toThrow('logger: expected an object')
})
