import type { Profiler } from 'node:inspector'
import { setTimeout as delay } from 'node:timers/promises'
import type { Severity } from '../optimizations/finding.js'
import { createPerformanceClient } from '../performance-client.js'
import type { PerformanceReport } from '../reports/report.js'
import type { PerformanceSources } from '../snapshots/sources.js'
import { CpuProfile, type HeapProfile } from './profile.js'

/** Functions that a profile names; the rest is in its `cpuProfile`. */
const MAX_FUNCTIONS = 20

/** Threads that are profiled along with the main thread, which cannot see them. */
export interface ProfiledThreads {
  /** Begins to profile them. */
  start(): void
  /** Ends their profiles and returns them; also called for a profile that was given up. */
  stop(): Promise<readonly { thread: string; profile: Profiler.Profile }[]>
}

/** Options of {@link profileProcess}. */
export interface ProcessProfileOptions {
  /** How long to record, in milliseconds. */
  durationMs: number
  /** Samples the memory that is allocated on the main thread and still in use at the end as well. @default false */
  heap?: boolean | undefined
  /** Gives the profile up: `profileProcess` rejects with its reason. @default none */
  signal?: AbortSignal | undefined
  /** Ends the profile early: what was recorded until then is reported. @default none */
  endSignal?: AbortSignal | undefined
  /** Figures of components, for what the profile suggests. @default none */
  sources?: PerformanceSources | undefined
  /** Other threads of the process. @default none */
  threads?: ProfiledThreads | undefined
}

/** A function, as the sampler saw it. */
export interface ProfiledCode {
  /** Its name; `(anonymous)` for one without. */
  name: string
  /** Address of its file; empty for what is built in. */
  url: string
  /** Counted from 1. */
  line: number
  /** CPU time in the function itself, in milliseconds. */
  selfMs: number
  /** Share of all CPU time sampled, 0 to 1. */
  share: number
}

/** What the CPU did on a thread. */
export interface ProfiledThread {
  /** The name of the thread. */
  name: string
  /** CPU time sampled, in milliseconds. */
  busyMs: number
  /** What took the most CPU time, most first. */
  code: ProfiledCode[]
  /** The profile as V8 wrote it: the content of a `.cpuprofile`. */
  cpuProfile: object
}

/** Where time and memory of a process went while it was profiled, as JSON. */
export interface ProcessProfile {
  /** RFC 3339, UTC. */
  startedAt: string
  /** How long it was recorded, in milliseconds. */
  durationMs: number
  /** The process as a whole. */
  process: {
    /** Of one core, all threads together. */
    cpuPercent: number
    /** Share of the time in which the event loop was busy. */
    eventLoopBusyPercent: number
    /** Delay of the event loop that 99 of 100 turns stayed below. */
    eventLoopDelayP99Ms: number
    /** Time of garbage collection. */
    gcMs: number
    /** Memory of the process in RAM. */
    residentBytes: number
    /** JavaScript heap in use. */
    heapUsedBytes: number
  }
  /** The functions of the main thread that took the most CPU time, most first. */
  host: ProfiledCode[]
  /** Other threads; one that ended meanwhile is not among them. */
  threads: ProfiledThread[]
  /** What the figures suggest to change. */
  suggestions: { title: string; severity: Severity; advice: string }[]
  /** The main thread's profile as V8 wrote it: the content of a `.cpuprofile`. */
  cpuProfile: { samplingIntervalUs: number; profile: object }
  /** What allocated memory that is in use at the end; only when it was asked for. */
  heap?: {
    /** Most first. */
    functions: AllocatingCode[]
    /** As V8 wrote it: the content of a `.heapprofile`. */
    heapProfile: { samplingIntervalBytes: number; profile: object }
  }
}

/** A function that allocated memory, as the sampler saw it. */
export interface AllocatingCode extends Omit<ProfiledCode, 'selfMs'> {
  /** Memory that it allocated and that is in use, in bytes. */
  selfBytes: number
}

/**
 * Profiles this process while it works: its CPU, memory, event loop and other threads.
 *
 * @throws {@link PerformanceError}; what `signal` was aborted with
 *
 * @example
 * ```ts
 * const { host, suggestions } = await profileProcess({ durationMs: 5_000 })
 * console.log(host[0]?.name, suggestions)
 * ```
 */
export async function profileProcess(options: ProcessProfileOptions): Promise<ProcessProfile> {
  const { durationMs, heap = false, signal, endSignal, sources = {}, threads } = options
  const client = createPerformanceClient({ profileIntervalMs: 0, env: {} })
  try {
    client.observe(sources)
    await client.createSnapshot()
    await client.startProfiling({ heap })
    threads?.start()
    const signals = [signal, endSignal].filter((one) => one !== undefined)
    await delay(durationMs, undefined, { signal: AbortSignal.any(signals) }).catch(() =>
      signal?.throwIfAborted(),
    )
    const [report, taken = []] = await Promise.all([
      client.stopProfiling('process'),
      threads?.stop(),
    ])
    return {
      ...mainPart(report),
      threads: taken.map(({ thread, profile }) =>
        threadPart(thread, new CpuProfile(profile, report.cpuProfile!.timing)),
      ),
    }
  } finally {
    client.close()
    // One that was given up has not ended them.
    await threads?.stop()
  }
}

function threadPart(name: string, profile: CpuProfile): ProfiledThread {
  return {
    name,
    busyMs: profile.callTree.total / 1000,
    code: profiledCode(profile),
    cpuProfile: { ...profile.toJSON() },
  }
}

function profiledCode(profile: CpuProfile): ProfiledCode[] {
  return profile.topFunctions(MAX_FUNCTIONS).map(({ name, url, line, self, selfShare }) => ({
    name,
    url,
    line,
    selfMs: self / 1000,
    share: selfShare,
  }))
}

function mainPart({ content }: PerformanceReport): Omit<ProcessProfile, 'threads'> {
  const { startedMs, endedMs, snapshots, optimizations } = content
  // The one that ended the profile; the one before it covers the time until the start.
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
    ...(content.heapProfile && { heap: heapPart(content.heapProfile) }),
  }
}

function heapPart(profile: HeapProfile): NonNullable<ProcessProfile['heap']> {
  return {
    functions: profile.topFunctions(MAX_FUNCTIONS).map(({ name, url, line, self, selfShare }) => ({
      ...{ name, url, line },
      selfBytes: self,
      share: selfShare,
    })),
    heapProfile: {
      samplingIntervalBytes: profile.timing.samplingInterval,
      profile: { ...profile.toJSON() },
    },
  }
}
