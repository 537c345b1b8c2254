// Metrics against prom-client and the OpenTelemetry SDK: recording, and exporting 1,000 and 100,000 series.
// Run with: node bench/metrics-vs-peers.mjs
import { MetricsCollector, MetricsRegistry } from '@nexus/metrics'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import prom from 'prom-client'

const SLICES = 15
const LABEL_NAMES = ['method', 'route', 'status']
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Median cost per call of each contender, its slices interleaved with those of the others. */
async function compare(contenders, callsPerSlice) {
  const costs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let slice = 0; slice < SLICES; slice++) {
    for (const [name, run] of Object.entries(contenders)) {
      const start = performance.now()
      await run(callsPerSlice)
      costs[name].push(((performance.now() - start) * 1e6) / callsPerSlice)
    }
  }
  return Object.fromEntries(
    Object.entries(costs).map(([name, all]) => [name, median(all.slice(3))]),
  )
}

class Reader extends MetricReader {
  constructor() {
    super({ cardinalitySelector: () => 1_000_000 })
  }
  async onShutdown() {}
  async onForceFlush() {}
}

function otelMeter() {
  const reader = new Reader()
  return { reader, meter: new MeterProvider({ readers: [reader] }).getMeter('bench') }
}

function labelsOf(i) {
  return { method: METHODS[i % 4], route: `/route/${i >> 2}`, status: 200 + (i % 5) }
}

async function recording() {
  const registry = new MetricsRegistry()
  const definition = { help: 'Bench.', labelNames: LABEL_NAMES }
  const ours = {
    counter: registry.counter({ name: 'requests_total', ...definition }),
    histogram: registry.histogram({ name: 'seconds', ...definition, buckets: BUCKETS }),
  }
  const registers = [new prom.Registry()]
  const theirs = {
    counter: new prom.Counter({ name: 'requests_total', ...definition, registers }),
    histogram: new prom.Histogram({ name: 'seconds', ...definition, buckets: BUCKETS, registers }),
  }
  const { meter } = otelMeter()
  const otel = {
    counter: meter.createCounter('requests'),
    histogram: meter.createHistogram('seconds'),
  }

  // Labels as callers have them: a new object per call, of strings that were seen before.
  const methods = METHODS.map(String)
  const statuses = ['200', '404', '500']
  const each = (record) => (calls) => {
    for (let i = 0; i < calls; i++) {
      record({ method: methods[i & 3], route: '/orders', status: statuses[i % 3] }, (i % 100) / 20)
    }
  }
  const bound = {
    counter: ours.counter.bind(labelsOf(0)),
    histogram: ours.histogram.bind(labelsOf(0)),
    promCounter: theirs.counter.labels(labelsOf(0)),
    promHistogram: theirs.histogram.labels(labelsOf(0)),
  }
  const increments = await compare(
    {
      ours: each((labels) => ours.counter.inc(labels)),
      'prom-client': each((labels) => theirs.counter.inc(labels)),
      OpenTelemetry: each((labels) => otel.counter.add(1, labels)),
      'ours, bound': (calls) => {
        for (let i = 0; i < calls; i++) bound.counter.inc()
      },
      'prom-client, child': (calls) => {
        for (let i = 0; i < calls; i++) bound.promCounter.inc()
      },
    },
    200_000,
  )
  const observations = await compare(
    {
      ours: each((labels, value) => ours.histogram.observe(labels, value)),
      'prom-client': each((labels, value) => theirs.histogram.observe(labels, value)),
      OpenTelemetry: each((labels, value) => otel.histogram.record(value, labels)),
      'ours, bound': (calls) => {
        for (let i = 0; i < calls; i++) bound.histogram.observe((i % 100) / 20)
      },
      'prom-client, child': (calls) => {
        for (let i = 0; i < calls; i++) bound.promHistogram.observe((i % 100) / 20)
      },
    },
    200_000,
  )
  const collector = new MetricsCollector()
  const execution = await compare(
    {
      ours: (calls) => {
        for (let i = 0; i < calls; i++) {
          collector.recordExecution(
            {
              functionName: `function-${i % 20}`,
              status: 'success',
              cacheTier: 'memory',
              durationUs: 20 + (i % 500),
              queueWaitUs: i % 40,
              memoryUsedBytes: 400_000 + (i % 1_000),
              hostCalls: i % 4,
            },
            true,
          )
        }
      },
    },
    100_000,
  )
  table('Increment a counter with 3 labels', increments, 'ns', 1)
  table('Observe in a histogram with 3 labels', observations, 'ns', 1)
  table('Record an execution (8 figures)', execution, 'ns', 1)
}

/** A counter of `series` label sets in each library; `touch` updates every n-th before a scrape. */
function exporters(series) {
  const definition = { name: 'requests_total', help: 'Bench.', labelNames: LABEL_NAMES }
  const registry = new MetricsRegistry({ maxSeriesPerMetric: series })
  const ours = registry.counter(definition)
  const promRegistry = new prom.Registry()
  const theirs = new prom.Counter({ ...definition, registers: [promRegistry] })
  const { reader, meter } = otelMeter()
  const otel = meter.createCounter('requests')
  const serializer = new PrometheusSerializer()
  const touch = (every) => {
    for (let i = 0; i < series; i += every) {
      const labels = labelsOf(i)
      ours.inc(labels)
      theirs.inc(labels)
      otel.add(1, labels)
    }
  }
  touch(1)
  return {
    touch,
    contenders: {
      // As bytes, because a server has to make them of the text in the end.
      ours: () => Buffer.from(registry.toPrometheus()),
      'ours, in slices': async () => {
        for await (const chunk of registry.scrape()) Buffer.from(chunk)
      },
      'prom-client': async () => Buffer.from(await promRegistry.metrics()),
      OpenTelemetry: async () =>
        Buffer.from(serializer.serialize((await reader.collect()).resourceMetrics)),
    },
  }
}

async function exporting(series) {
  const { contenders, touch } = exporters(series)
  for (const [every, what] of [
    [1, 'all changed'],
    [10, 'one in ten changed'],
  ]) {
    const costs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
    for (let slice = 0; slice < (series > 10_000 ? 11 : 300); slice++) {
      for (const [name, run] of Object.entries(contenders)) {
        touch(every)
        const start = performance.now()
        await run()
        costs[name].push((performance.now() - start) * 1e6)
      }
    }
    const medians = Object.fromEntries(
      Object.entries(costs).map(([name, all]) => [name, median(all.slice(1))]),
    )
    table(`Export ${series.toLocaleString('en')} series, ${what}`, medians, 'ms', 1e6)
  }
}

/** The longest time that the event loop did not turn while a scrape was written. */
async function stalls(series) {
  const { contenders, touch } = exporters(series)
  const longest = async (run) => {
    const runs = []
    for (let i = 0; i < 7; i++) {
      touch(1)
      let last = performance.now()
      let worst = 0
      let done = false
      const turn = () => {
        const now = performance.now()
        worst = Math.max(worst, now - last)
        last = now
        if (!done) setImmediate(turn)
      }
      setImmediate(turn)
      await new Promise(setImmediate)
      last = performance.now()
      await run()
      worst = Math.max(worst, performance.now() - last)
      done = true
      await new Promise(setImmediate)
      runs.push(worst * 1e6)
    }
    return median(runs)
  }
  const ours = await longest(contenders['ours, in slices'])
  const theirs = await longest(contenders['prom-client'])
  table(
    `Longest stall of the event loop, export of ${series.toLocaleString('en')} series`,
    { ours, 'prom-client': theirs },
    'ms',
    1e6,
  )
}

function table(title, costs, unit, divisor) {
  console.log(`\n${title}`)
  const reference = costs['prom-client']
  for (const [name, cost] of Object.entries(costs)) {
    const ratio = reference === undefined ? '' : `${(reference / cost).toFixed(1)} x prom-client`
    console.log(
      `  ${name.padEnd(20)} ${(cost / divisor).toFixed(2).padStart(10)} ${unit}   ${ratio}`,
    )
  }
}

await recording()
await exporting(1_000)
await exporting(100_000)
await stalls(100_000)
