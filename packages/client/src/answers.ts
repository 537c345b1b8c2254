import {
  array,
  boolean,
  nullable,
  number,
  object,
  optional,
  record,
  type Shape,
  string,
} from './shape.js'

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
const runFields = {
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
  resumes: optional(number),
  suspension: optional(
    object({
      suspensionId: string,
      name: string,
      expiresAt: optional(string),
      suspendedAt: string,
    }),
  ),
}
const run = object(runFields)
const erasure = object({ at: string, reason: optional(string) })
const receiptFields = { id: string, duplicate: boolean }
const receipt = object(receiptFields)
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

const pause = object({ at: string, by: string, reason: optional(string) })

const suspension = object({
  suspensionId: string,
  function: string,
  name: string,
  expiresAt: optional(string),
  suspendedAt: string,
  event: object({ id: string, source: string, type: string }),
  wakes: array(
    object({ suspensionId: string, kind: string, name: string, dueAt: optional(string) }),
  ),
  imageBytes: number,
})

const cacheTier = object({
  tier: string,
  entries: nullable(number),
  bytes: nullable(number),
  maxBytes: nullable(number),
  hits: number,
  misses: number,
  evictions: nullable(number),
})
const cacheFields = {
  hitRatePercent: nullable(number),
  handlers: object({ tiers: array(cacheTier), compiled: number, failed: number }),
  modules: cacheTier,
}

const traffic = object({
  inBytes: number,
  outBytes: number,
  inBytesPerSecond: number,
  outBytesPerSecond: number,
})
const machine = object({
  scope: string,
  durationMs: number,
  cpu: object({
    cores: number,
    busyRatio: number,
    busyRatioByCore: array(number),
    processRatio: number,
    stealRatio: optional(number),
    throttledRatio: optional(number),
    load: object({ 1: number, 5: number, 15: number }),
  }),
  memory: object({
    totalBytes: number,
    availableBytes: number,
    processBytes: number,
    swap: optional(object({ totalBytes: number, usedBytes: number })),
  }),
  disks: record(object({ totalBytes: number, availableBytes: number })),
  diskIo: optional(traffic),
  processDiskIo: optional(traffic),
  network: optional(traffic),
})

/** What the answers of a runtime look like, as far as clients rely on it. */
export const answers = {
  receipt,
  outcome: object({ ...receiptFields, settled: boolean, runs: array(run) }),
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
  deadLetterPage: object({
    deadLetters: array(
      object({
        function: string,
        event: object({ id: string, source: string, type: string }),
        attempts: number,
        deadLetteredAt: string,
        error: object({ code: string, message: string }),
      }),
    ),
    total: number,
    cursor: optional(string),
  }),
  redriven: object({ redriven: number }),
  purged: object({ purged: number }),
  functions: object({
    functions: array(
      object({
        name: string,
        events: array(string),
        schedule: optional(
          object({
            cron: string,
            timeZone: string,
            missed: string,
            maxMissed: number,
            nextAt: optional(string),
          }),
        ),
        http: optional(object({ method: array(string), path: string, auth: string })),
        paused: optional(pause),
        running: number,
        succeeded: number,
        failed: number,
        deadLettered: number,
      }),
    ),
  }),
  pause: object({ function: string, paused: nullable(pause) }),
  suspension,
  suspensionPage: object({ suspensions: array(suspension), next: optional(string) }),
  resumed: object({ function: string, event: object({ id: string, source: string }) }),
  invocation: object({
    ...runFields,
    event: object({ id: string, source: string, type: string }),
  }),
  replay: object({ id: string, deliveries: number }),
  erasure: object({ id: string, erased: erasure }),
  cache: object({
    ...cacheFields,
    entries: array(
      object({
        kind: string,
        name: string,
        bytes: number,
        accessCount: number,
        lastAccessedAt: string,
      }),
    ),
  }),
  cleared: object({ removed: object({ memory: number, disk: number }) }),
  pruned: object({ removed: object({ entries: number, bytes: number }) }),
  warmed: object({ functions: number }),
  metrics: object({
    cache: optional(object(cacheFields)),
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
      machine: optional(machine),
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
    heap: optional(
      object({
        functions: array(
          object({ name: string, url: string, line: number, selfBytes: number, share: number }),
        ),
        heapProfile: object({ samplingIntervalBytes: number, profile: object() }),
      }),
    ),
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
