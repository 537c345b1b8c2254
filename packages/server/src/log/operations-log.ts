import { getHeapStatistics } from 'node:v8'
import { guardLogger, type Logger } from '@nexus/diagnostics'
import type { EventBus } from '@nexus/event-bus'
import type { RuntimeCache } from '@nexus/executor'
import type { MetricsCollector } from '@nexus/metrics'

/** What an {@link OperationsLog} looks at. */
export interface OperationsLogParts {
  /** Gets the warnings and the summaries. */
  logger: Logger
  /** Whose figures are looked at. */
  metrics: MetricsCollector
  /** The bus whose backlog is looked at. */
  bus: EventBus
  /** The caches whose hit rate is looked at. */
  cache: RuntimeCache
}

const LOOK_EVERY_MS = 60_000
const LOOKS_PER_SUMMARY = 5
/** One warning of a kind in this many looks. */
const QUIET_LOOKS = 10

/** What is worth a warning. */
const LIMITS = {
  hitRate: 0.5,
  heapShare: 0.85,
  slowMs: 1_000,
  retryShare: 0.2,
} as const
/** Fewer say nothing. */
const MIN_LOOKUPS = 100
const MIN_ATTEMPTS = 20

interface Figures {
  published: number
  delivered: number
  failed: number
  deadLettered: number
  executions: number
  failedExecutions: number
  durationUs: number
  hits: number
  misses: number
}

/** Looks at a server each minute: warns of what is over a limit, at most every ten minutes, and sums up every five. */
export class OperationsLog {
  readonly #parts: OperationsLogParts
  readonly #timer: NodeJS.Timeout
  readonly #warnedAt = new Map<string, number>()
  #looks = 0
  #last: Figures | undefined
  #atSummary: Figures | undefined

  constructor(parts: OperationsLogParts) {
    this.#parts = { ...parts, logger: guardLogger(parts.logger) }
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Looks now; a bus that does not answer is looked at the next time. */
  async look(): Promise<void> {
    const now = await this.#read().catch(() => undefined)
    if (now === undefined) return
    this.#looks++
    this.#warnOf(now, this.#last ?? NOTHING)
    this.#last = now
    if (this.#looks % LOOKS_PER_SUMMARY !== 0) return
    this.#summarize(now, this.#atSummary ?? NOTHING)
    this.#atSummary = now
  }

  /** Ends it. */
  close(): void {
    clearInterval(this.#timer)
  }

  async #read(): Promise<Figures> {
    const { metrics, bus, cache } = this.#parts
    const { published, emitted, delivered, failed, deadLettered } = await bus.getStats()
    const { executions, failed: failedExecutions, durationUs } = metrics.getStats().totals
    const { handlers, modules } = cache.getStats()
    const { memory, disk, shared, compiles } = handlers
    return {
      published: published + emitted,
      ...{ delivered, failed, deadLettered, executions, failedExecutions },
      durationUs: durationUs.avg * executions,
      hits: memory.hits + (disk?.hits ?? 0) + (shared?.hits ?? 0) + modules.hits,
      misses: compiles + modules.misses,
    }
  }

  #warnOf(now: Figures, before: Figures): void {
    const grew = growth(now, before)
    const lookups = grew.hits + grew.misses
    const hitRate = grew.hits / lookups
    if (lookups >= MIN_LOOKUPS && hitRate < LIMITS.hitRate) {
      const fields = { hitRatePercent: percent(hitRate), lookups }
      this.#warn(
        'hit-rate',
        fields,
        'the cache of compiled code answers less than half of the look-ups',
      )
    }
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    if (used / limit > LIMITS.heapShare) {
      const fields = { usedBytes: used, limitBytes: limit, usedPercent: percent(used / limit) }
      this.#warn('heap', fields, 'the heap is nearly full; see --max-old-space-size of Node')
    }
    const averageMs = grew.durationUs / grew.executions / 1000
    if (grew.executions >= MIN_ATTEMPTS && averageMs > LIMITS.slowMs) {
      const fields = { averageMs: Math.round(averageMs), executions: grew.executions }
      this.#warn('slow', fields, 'functions are slow')
    }
    const attempts = grew.delivered + grew.failed
    if (attempts >= MIN_ATTEMPTS && grew.failed / attempts > LIMITS.retryShare) {
      const fields = { failed: grew.failed, failedPercent: percent(grew.failed / attempts) }
      this.#warn('retries', fields, 'many deliveries fail and are tried again')
    }
  }

  #warn(kind: string, fields: object, message: string): void {
    const last = this.#warnedAt.get(kind)
    if (last !== undefined && this.#looks - last < QUIET_LOOKS) return
    this.#warnedAt.set(kind, this.#looks)
    this.#parts.logger.warn(fields, message)
  }

  #summarize(now: Figures, before: Figures): void {
    const grew = growth(now, before)
    const lookups = grew.hits + grew.misses
    this.#parts.logger.info(
      {
        minutes: LOOKS_PER_SUMMARY,
        ...{ published: grew.published, delivered: grew.delivered, failed: grew.failed },
        deadLettered: grew.deadLettered,
        executions: grew.executions,
        failedExecutions: grew.failedExecutions,
        averageMs: grew.executions === 0 ? null : round(grew.durationUs / grew.executions / 1000),
        cacheHitRatePercent: lookups === 0 ? null : percent(grew.hits / lookups),
        residentBytes: process.memoryUsage.rss(),
      },
      'summary',
    )
  }
}

const NOTHING: Figures = {
  ...{ published: 0, delivered: 0, failed: 0, deadLettered: 0, executions: 0 },
  ...{ failedExecutions: 0, durationUs: 0, hits: 0, misses: 0 },
}

/** What each figure grew by; one that went down began again at zero. */
function growth(now: Figures, before: Figures): Figures {
  const entries = Object.entries(now).map(([name, value]) => {
    return [name, Math.max(0, value - before[name as keyof Figures])]
  })
  return Object.fromEntries(entries)
}

function percent(share: number): number {
  return round(share * 100)
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
