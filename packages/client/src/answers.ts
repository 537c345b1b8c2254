import { array, boolean, nullable, number, object, optional, type Shape, string } from './shape.js'

const eventFields = {
  id: string,
  source: string,
  type: string,
  time: string,
  subject: optional(string),
  datacontenttype: optional(string),
}
const event = object(eventFields)
const listedEvent = object({
  ...eventFields,
  dataOmitted: optional(object({ bytes: number, href: string })),
})
const logLine = object({ level: string, message: string, time: string })
const run = object({
  function: string,
  status: string,
  attempts: number,
  replays: number,
  updatedAt: string,
  nextAttemptAt: optional(string),
  durationMs: optional(number),
  logs: array(logLine),
  error: optional(
    object({
      code: string,
      name: string,
      message: string,
      stack: optional(string),
      sourceLines: optional(string),
    }),
  ),
  truncated: optional(array(string)),
})
const erasure = object({ at: string, reason: optional(string) })
const receipt = object({ id: string, duplicate: boolean })
const code = object({ name: string, url: string, line: number, selfMs: number, share: number })
const uxImprovement = object({
  id: string,
  subject: string,
  severity: string,
  value: number,
  unit: string,
  limit: number,
  samples: number,
  suggestion: string,
})
const optimization = object({
  id: string,
  title: string,
  severity: string,
  evidence: array(object({ what: string, value: number, unit: string, limit: optional(number) })),
  advice: string,
  expectedEffect: string,
  state: string,
  change: optional(object({ knob: string, unit: string, from: number, to: number })),
  result: optional(object({ appliedAt: string, before: number, after: optional(number) })),
  failure: optional(string),
})

/** What the answers of a runtime look like, as far as clients rely on it. */
export const answers = {
  receipt,
  receipts: object({ results: array(receipt) }),
  eventPage: object({
    events: array(listedEvent),
    total: optional(number),
    cursor: optional(string),
  }),
  eventDetails: object({
    event,
    publishedAt: string,
    erased: optional(erasure),
    runs: array(run),
  }),
  replay: object({ id: string, deliveries: number }),
  erasure: object({ id: string, erased: erasure }),
  metrics: object({
    events: object({
      published: number,
      replayed: number,
      failed: number,
      successRatePercent: nullable(number),
    }),
    functions: object({
      executed: number,
      succeeded: number,
      failed: number,
      successRatePercent: nullable(number),
      averageDurationMs: nullable(number),
    }),
    system: object({
      uptimeSeconds: number,
      version: string,
      bus: object({ backend: string, connected: boolean }),
    }),
  }),
  profile: object({
    startedAt: string,
    durationMs: number,
    process: object({
      cpuPercent: number,
      eventLoopBusyPercent: number,
      eventLoopDelayP99Ms: number,
      gcMs: number,
      residentBytes: number,
      heapUsedBytes: number,
    }),
    host: array(code),
    threads: array(
      object({ name: string, busyMs: number, code: array(code), cpuProfile: object() }),
    ),
    functions: array(
      object({
        function: string,
        calls: number,
        failed: number,
        totalMs: number,
        share: number,
        averageMs: number,
        p95Ms: number,
        maxMs: number,
        averageQueueWaitMs: number,
        memoryPeakBytes: number,
        hostCalls: number,
      }),
    ),
    sandbox: object({
      cacheHits: number,
      compiled: number,
      evictions: number,
      rewinds: number,
      discards: number,
      threadKills: number,
      instances: number,
      memoryBytes: number,
    }),
    suggestions: array(object({ title: string, severity: string, advice: string })),
    cpuProfile: object({ samplingIntervalUs: number, profile: object() }),
  }),
  optimization,
  optimizations: object({
    optimizations: array(optimization),
    uxImprovements: array(uxImprovement),
  }),
  pagePerformance: object({
    metrics: array(
      object({
        name: string,
        unit: string,
        count: number,
        min: number,
        avg: number,
        p50: number,
        p95: number,
        max: number,
      }),
    ),
    uxImprovements: array(uxImprovement),
  }),
} satisfies Record<string, Shape>
