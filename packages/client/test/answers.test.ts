import { NexusClient } from '@nexus/client'
import { expect, it } from 'vitest'

const event = { specversion: '1.0', id: 'e', source: '/s', type: 't', time: '2026-01-01T00:00:00Z' }
const code = { name: 'f', url: 'file:///f.js', line: 1, selfMs: 1, share: 1 }
const ux = {
  ...{ id: 'u', subject: 's', severity: 'poor', value: 1 },
  ...{ unit: 'ms', limit: 1, samples: 1, suggestion: 's' },
}
const optimization = {
  ...{ id: 'o', title: 't', severity: 'high', advice: 'a', expectedEffect: 'e', state: 'applied' },
  evidence: [{ what: 'w', value: 1, unit: 'ms' }],
  change: { knob: 'k', unit: 'ms', from: 1, to: 2 },
  result: { appliedAt: event.time, before: 1 },
}
const report = {
  ...{ function: 'f', status: 'succeeded', attempts: 1, replays: 0, updatedAt: event.time },
  logs: [{ level: 'info', message: 'm', time: event.time }],
  error: { code: 'TIMEOUT', name: 'Error', message: 'm' },
}

const cacheTier = {
  ...{ tier: 'memory', entries: 1, bytes: 1, maxBytes: 1 },
  ...{ hits: 1, misses: 1, evictions: 1 },
}
const cacheFigures = {
  hitRatePercent: 1,
  handlers: { tiers: [cacheTier], compiled: 1, failed: 0 },
  modules: cacheTier,
}

const traffic = { inBytes: 1, outBytes: 1, inBytesPerSecond: 1, outBytesPerSecond: 1 }
const machine = {
  ...{ scope: 'machine', durationMs: 1, diskIo: traffic, processDiskIo: traffic, network: traffic },
  cpu: {
    ...{ cores: 1, busyRatio: 1, busyRatioByCore: [1], processRatio: 1 },
    ...{ stealRatio: 1, throttledRatio: 1, load: { 1: 1, 5: 1, 15: 1 } },
  },
  memory: {
    ...{ totalBytes: 1, availableBytes: 1, processBytes: 1 },
    swap: { totalBytes: 1, usedBytes: 1 },
  },
  disks: { data: { totalBytes: 1, availableBytes: 1 } },
}

/** A complete answer of each method, with the call that asks for it. */
const complete: Record<string, [(client: NexusClient) => Promise<unknown>, object]> = {
  publish: [(client) => client.publish({ type: 't' }), { id: 'e', duplicate: false }],
  publishBatch: [
    (client) => client.publishBatch([{ type: 't' }]),
    { results: [{ id: 'e', duplicate: false }] },
  ],
  listEvents: [(client) => client.listEvents(), { events: [event] }],
  getEvent: [(client) => client.getEvent('e'), { event, publishedAt: event.time, runs: [report] }],
  replay: [(client) => client.replay('e'), { id: 'e', deliveries: 1 }],
  erase: [(client) => client.erase('e'), { id: 'e', erased: { at: event.time, reason: 'asked' } }],
  functions: [
    (client) => client.functions(),
    {
      functions: [
        {
          ...{ name: 'f', events: ['a'], running: 0, succeeded: 1, failed: 0, deadLettered: 0 },
          schedule: { cron: '0 9 * * *', timeZone: 'UTC', missed: 'skip', maxMissed: 100 },
        },
      ],
    },
  ],
  deadLetters: [
    (client) => client.deadLetters(),
    {
      total: 1,
      deadLetters: [
        {
          ...{ function: 'f', attempts: 1, deadLetteredAt: event.time },
          event: { id: 'e', source: '/s', type: 't' },
          error: { code: 'TIMEOUT', message: 'm' },
        },
      ],
    },
  ],
  redrive: [(client) => client.redrive('all'), { redriven: 1 }],
  purge: [(client) => client.purge({ function: 'f' }), { purged: 1 }],
  publishAndWait: [
    (client) => client.publish({ type: 't' }, { wait: true }),
    { id: 'e', duplicate: false, settled: true, runs: [report] },
  ],
  metrics: [
    (client) => client.metrics(),
    {
      events: { published: 1, replayed: 0, failed: 0, successRatePercent: 100 },
      functions: {
        ...{ executed: 1, succeeded: 1, failed: 0 },
        ...{ successRatePercent: 100, averageDurationMs: 1 },
      },
      cache: cacheFigures,
      system: {
        ...{ uptimeSeconds: 1, version: '1', bus: { backend: 'local', connected: true } },
        machine,
      },
    },
  ],
  cache: [
    (client) => client.cache(),
    {
      ...cacheFigures,
      entries: [
        { kind: 'handler', name: 'a', bytes: 1, accessCount: 1, lastAccessedAt: event.time },
      ],
    },
  ],
  clearCache: [(client) => client.clearCache(), { removed: { memory: 1, disk: 1 } }],
  pruneCache: [
    (client) => client.pruneCache({ maxBytes: 1, unusedForSeconds: 1 }),
    { removed: { entries: 1, bytes: 1 } },
  ],
  warmCache: [(client) => client.warmCache(), { functions: 1 }],
  optimizations: [
    (client) => client.optimizations(),
    { optimizations: [optimization], uxImprovements: [ux] },
  ],
  applyOptimization: [(client) => client.applyOptimization('o'), optimization],
  pagePerformance: [
    (client) => client.pagePerformance(),
    {
      metrics: [{ name: 'n', unit: 'ms', count: 1, min: 1, avg: 1, p50: 1, p95: 1, max: 1 }],
      uxImprovements: [ux],
    },
  ],
  profile: [
    (client) => client.profile({ seconds: 1 }),
    {
      ...{ startedAt: event.time, durationMs: 1, host: [code], suggestions: [] },
      process: {
        ...{ cpuPercent: 1, eventLoopBusyPercent: 1, eventLoopDelayP99Ms: 1 },
        ...{ gcMs: 1, residentBytes: 1, heapUsedBytes: 1 },
      },
      threads: [{ name: 't', busyMs: 1, code: [code], cpuProfile: {} }],
      functions: [
        {
          ...{ function: 'f', calls: 1, failed: 0, totalMs: 1, share: 1, averageMs: 1, p95Ms: 1 },
          ...{ maxMs: 1, averageQueueWaitMs: 1, memoryPeakBytes: 1, hostCalls: 1 },
        },
      ],
      sandbox: {
        ...{ cacheHits: 1, compiled: 1, evictions: 1, rewinds: 1 },
        ...{ discards: 1, threadKills: 1, instances: 1, memoryBytes: 1 },
      },
      cpuProfile: { samplingIntervalUs: 1, profile: {} },
      heap: {
        functions: [{ name: 'f', url: 'u', line: 1, selfBytes: 1, share: 1 }],
        heapProfile: { samplingIntervalBytes: 1, profile: {} },
      },
    },
  ],
}

function clientOf(answer: unknown): NexusClient {
  const fetch = async () => new Response(JSON.stringify(answer))
  return new NexusClient({ fetch: fetch as typeof globalThis.fetch })
}

/** Every answer that differs from a complete one in a single field that has another kind of value. */
function* damaged(value: unknown): Generator<unknown> {
  const other = typeof value === 'string' ? 1 : 'wrong'
  yield other
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const wrong of damaged(item)) yield value.with(index, wrong)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      // The version of CloudEvents is of no use to clients.
      if (name === 'specversion') continue
      for (const wrong of damaged(field)) yield { ...value, [name]: wrong }
    }
  }
}

it.each(Object.entries(complete))('%s takes a complete answer', async (_name, [call, answer]) => {
  await expect(call(clientOf(answer))).resolves.toBeDefined()
  await expect(call(clientOf({ ...answer, newer: 1 }))).resolves.toBeDefined()
})

it.each(Object.entries(complete))(
  '%s refuses an answer with any field of another kind',
  async (_name, [call, answer]) => {
    const wrongs = [...damaged(answer), {}, null, [], 1]
    for (const wrong of wrongs) {
      await expect(call(clientOf(wrong)), JSON.stringify(wrong)).rejects.toMatchObject({
        name: 'NexusClientError',
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('expected the answer'),
      })
    }
    expect(wrongs.length).toBeGreaterThan(Object.keys(answer).length)
  },
)
