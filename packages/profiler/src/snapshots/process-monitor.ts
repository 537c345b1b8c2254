import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
import { EventLoopDelay, EventLoopUtilization } from '@nexus/metrics'

/** CPU time of this process, as a share of one core. */
export interface CpuUsage {
  /** Time in the program itself; 100 is one core. */
  userPercent: number
  /** Time in the kernel; 100 is one core. */
  systemPercent: number
}

/** Memory of this process, in bytes. */
export interface MemoryUsage {
  /** All memory of the process that is in RAM. */
  rss: number
  /** Objects of JavaScript. */
  heapUsed: number
  /** What V8 took for them. */
  heapTotal: number
  /** Memory outside of V8 that its objects hold. */
  external: number
  /** Array buffers; part of `external`. */
  arrayBuffers: number
}

/** How well the event loop turned. */
export interface EventLoopUsage {
  /** How late work starts because the loop is busy, in milliseconds; 99 % of the time it is at most `p99`. */
  delayMs: { mean: number; p50: number; p99: number; max: number }
  /** Share of the time it was busy, 0 to 1. */
  utilization: number
}

/** Garbage collections. */
export interface GcUsage {
  /** How many there were. */
  count: number
  /** How long they took together, in milliseconds. */
  totalMs: number
  /** The longest one, in milliseconds. */
  longestMs: number
  /** Number by kind, such as `minor`. */
  byKind: Record<string, number>
}

/** What the process did since the reading before. */
export interface ProcessReading {
  /** Length of the time this is about, in milliseconds. */
  durationMs: number
  /** Its CPU time. */
  cpu: CpuUsage
  /** Its memory now. */
  memory: MemoryUsage
  /** Its event loop. */
  eventLoop: EventLoopUsage
  /** Its garbage collections. */
  gc: GcUsage
}

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** Watches this process; all of it together costs next to nothing. */
export class ProcessMonitor {
  readonly #delay = new EventLoopDelay()
  readonly #utilization = new EventLoopUtilization()
  readonly #gcObserver: PerformanceObserver
  #gc = noGc()
  #cpu = process.cpuUsage()
  #sinceMs = performance.now()

  constructor() {
    this.#gcObserver = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#countGc(entry)
    })
    this.#gcObserver.observe({ entryTypes: ['gc'] })
  }

  /** What happened since the last call, or since the start. */
  read(): ProcessReading {
    const nowMs = performance.now()
    // Two readings in the same instant must not divide by zero.
    const durationMs = Math.max(nowMs - this.#sinceMs, 0.001)
    const cpu = process.cpuUsage(this.#cpu)
    const { mean, p50, p99, max } = this.#delay.read()
    const reading: ProcessReading = {
      durationMs,
      cpu: {
        userPercent: cpu.user / 10 / durationMs,
        systemPercent: cpu.system / 10 / durationMs,
      },
      memory: process.memoryUsage(),
      eventLoop: { delayMs: { mean, p50, p99, max }, utilization: this.#utilization.read() },
      gc: this.#gc,
    }
    this.#gc = noGc()
    this.#cpu = process.cpuUsage()
    this.#sinceMs = nowMs
    return reading
  }

  /** Stops watching. */
  close(): void {
    this.#delay.close()
    this.#gcObserver.disconnect()
  }

  #countGc(entry: { duration: number; detail?: unknown }): void {
    const { kind } = entry.detail as { kind: number }
    const name = GC_KINDS[kind] ?? 'other'
    this.#gc.count++
    this.#gc.totalMs += entry.duration
    this.#gc.longestMs = Math.max(this.#gc.longestMs, entry.duration)
    this.#gc.byKind[name] = (this.#gc.byKind[name] ?? 0) + 1
  }
}

function noGc(): GcUsage {
  return { count: 0, totalMs: 0, longestMs: 0, byKind: {} }
}
