import { setTimeout as delay } from 'node:timers/promises'
import type { ProfiledCode, ProfiledThread, ProfileReport } from '@nexus/client'
import type { ExecutionMetrics, ThreadProfile, WasmRuntime } from '@nexus/executor'
import type { CpuProfile, PerformanceReport } from '@nexus/profiler'
import type { ProfileRequest, ProfileSource } from '@nexus/server'
import { sandboxSources } from './component-figures.js'
import { ExecutionWindow } from './execution-window.js'
import { type SandboxTotals, sandboxTotals } from './sandbox-totals.js'

/** Functions of the host that a report names; the rest is in its profile. */
const HOST_FUNCTIONS = 20

/** Profiles this process while it serves, one profile at a time. */
export class ProcessProfiler implements ProfileSource {
  readonly #wasm: WasmRuntime
  readonly #closing = new AbortController()
  #window: ExecutionWindow | undefined

  constructor(wasm: WasmRuntime) {
    this.#wasm = wasm
  }

  get busy(): boolean {
    return this.#window !== undefined
  }

  /** Hears of every call that ended; costs nothing while no profile is taken. */
  recordExecution(name: string, metrics: ExecutionMetrics, failed: boolean): void {
    this.#window?.add(name, metrics, failed)
  }

  /** Profiles for `durationMs`, or until {@link close}. */
  async profile({ durationMs, functionName, signal }: ProfileRequest): Promise<ProfileReport> {
    const window = new ExecutionWindow()
    this.#window = window
    const before = sandboxTotals(this.#wasm.getStats())
    // Its environment variables are read with the configuration.
    const profiler = await import('@nexus/profiler')
    const client = profiler.createPerformanceClient({ profileIntervalMs: 0, env: {} })
    try {
      client.observe({ ...sandboxSources(this.#wasm), functions: () => window.figures() })
      await client.createSnapshot()
      await client.startProfiling()
      this.#wasm.startThreadProfiles()
      const ended = AbortSignal.any([signal, this.#closing.signal])
      await delay(durationMs, undefined, { signal: ended }).catch(() => signal.throwIfAborted())
      const [report, threads] = await Promise.all([
        client.stopProfiling('nexus'),
        this.#wasm.stopThreadProfiles(),
      ])
      const after = sandboxTotals(this.#wasm.getStats())
      const functions = window
        .functions()
        .filter((entry) => functionName === undefined || entry.function === functionName)
      const timing = report.cpuProfile!.timing
      return {
        ...processPart(report),
        threads: threads.map((taken) =>
          threadPart(taken, new profiler.CpuProfile(taken.profile, timing)),
        ),
        functions,
        sandbox: sandboxPart(before, after),
      }
    } finally {
      client.close()
      // One that was abandoned has not ended them.
      await this.#wasm.stopThreadProfiles()
      this.#window = undefined
    }
  }

  /** Ends a profile that is being taken: it reports what it has. */
  close(): void {
    this.#closing.abort()
  }
}

function sandboxPart(before: SandboxTotals, after: SandboxTotals): ProfileReport['sandbox'] {
  const during = (figure: Exclude<keyof SandboxTotals, 'instances'>) =>
    after[figure] - before[figure]
  return {
    cacheHits: during('cacheHits'),
    compiled: during('compiled'),
    evictions: during('evictions'),
    rewinds: during('rewinds'),
    discards: during('discards'),
    threadKills: during('threadKills'),
    instances: after.instances.active + after.instances.available,
    memoryBytes: after.instances.memoryBytes,
  }
}

function threadPart({ thread, profile }: ThreadProfile, cpu: CpuProfile): ProfiledThread {
  return {
    name: thread,
    busyMs: cpu.callTree.total / 1000,
    code: profiledCode(cpu),
    cpuProfile: { ...profile },
  }
}

function profiledCode(cpu: CpuProfile): ProfiledCode[] {
  return cpu.topFunctions(HOST_FUNCTIONS).map(({ name, url, line, self, selfShare }) => ({
    name,
    url,
    line,
    selfMs: self / 1000,
    share: selfShare,
  }))
}

function processPart({
  content,
}: PerformanceReport): Omit<ProfileReport, 'threads' | 'functions' | 'sandbox'> {
  const { startedMs, endedMs, snapshots, optimizations } = content
  // The one that ended the profile; what the one before it covers is the time until the start.
  const { cpu, eventLoop, gc, memory } = snapshots.at(-1)!
  const profile = content.cpuProfile!
  return {
    startedAt: new Date(startedMs).toISOString(),
    durationMs: endedMs - startedMs,
    process: {
      cpuPercent: cpu.userPercent + cpu.systemPercent,
      eventLoopBusyPercent: eventLoop.utilization * 100,
      eventLoopDelayP99Ms: eventLoop.delayMs.p99,
      gcMs: gc.totalMs,
      residentBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
    },
    host: profiledCode(profile),
    suggestions: optimizations.map(({ title, severity, advice }) => ({ title, severity, advice })),
    cpuProfile: {
      samplingIntervalUs: profile.timing.samplingInterval,
      profile: { ...profile.toJSON() },
    },
  }
}
