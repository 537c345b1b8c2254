import { statfsSync } from 'node:fs'
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import { type CgroupFigures, readCgroup } from './cgroup.js'
import { type CpuTimes, readCpuTimes, shareOf, sumOf } from './cpu-times.js'
import { SystemFiles } from './system-files.js'
import type {
  CpuReading,
  DiskSpaceReading,
  MemoryReading,
  SystemReading,
} from './system-reading.js'
import {
  rated,
  readDiskTraffic,
  readNetworkTraffic,
  readProcessDiskTraffic,
  type Traffic,
} from './traffic.js'

/** Options of {@link SystemMonitor}. */
export interface SystemMonitorOptions {
  /**
   * Directories whose disks are looked at, by the name that they have in readings.
   * @default { cwd: process.cwd() }
   */
  disks?: Readonly<Record<string, string>> | undefined
  /**
   * Directory that holds `proc` and `sys`, for tests.
   * @default '/'
   */
  root?: string | undefined
  /**
   * Monotonic time in milliseconds.
   * @default performance
   */
  clock?: { now(): number } | undefined
}

/** What a machine counts up; two of these make a reading. */
interface Counts {
  atMs: number
  cores: CpuTimes[]
  processSeconds: number
  cgroup: CgroupFigures
  disk: Traffic | undefined
  processDisk: Traffic | undefined
  network: Traffic | undefined
}

/**
 * Reads what the machine does: processors, memory, disks, network, and the share of this process in them. It reads `/proc` and the
 * limits of the container on Linux, which takes less than a millisecond; other systems tell less.
 *
 * @example
 * ```ts
 * const monitor = new SystemMonitor({ disks: { data: '/var/lib/app' } })
 * const { cpu, memory, disks } = monitor.read()
 * ```
 */
export class SystemMonitor {
  readonly #files: SystemFiles
  readonly #disks: Readonly<Record<string, string>>
  readonly #clock: { now(): number }
  #last: Counts

  constructor(options: SystemMonitorOptions = {}) {
    this.#files = new SystemFiles(options.root ?? '/')
    this.#disks = options.disks ?? { cwd: process.cwd() }
    this.#clock = options.clock ?? performance
    this.#last = this.#count()
  }

  /** What happened since the last call, or since the start. */
  read(): SystemReading {
    const before = this.#last
    const now = this.#count()
    this.#last = now
    // Two readings in the same instant must not divide by zero.
    const durationMs = Math.max(now.atMs - before.atMs, 0.001)
    const cpu = cpuReading(before, now, durationMs)
    const memory = this.#memory(now.cgroup)
    const isLimited = cpu.throttledRatio !== undefined || memory.isLimited
    return {
      scope: isLimited ? 'container' : 'machine',
      durationMs,
      cpu,
      memory: memory.reading,
      disks: this.#diskSpace(),
      diskIo: rated(before.disk, now.disk, durationMs),
      processDiskIo: rated(before.processDisk, now.processDisk, durationMs),
      network: rated(before.network, now.network, durationMs),
    }
  }

  #count(): Counts {
    const { user, system } = process.cpuUsage()
    return {
      atMs: this.#clock.now(),
      cores: readCpuTimes(this.#files),
      processSeconds: (user + system) / 1e6,
      cgroup: readCgroup(this.#files),
      disk: readDiskTraffic(this.#files),
      processDisk: readProcessDiskTraffic(this.#files),
      network: readNetworkTraffic(this.#files),
    }
  }

  #memory({ memory: limit }: CgroupFigures): { isLimited: boolean; reading: MemoryReading } {
    const kilobytes = (name: string) => {
      const value = this.#files.field(name, 'proc/meminfo')
      return value === undefined ? undefined : value * 1024
    }
    const processBytes = process.memoryUsage.rss()
    const totalBytes = kilobytes('MemTotal') ?? totalmem()
    const availableBytes = kilobytes('MemAvailable') ?? freemem()
    const swapTotal = kilobytes('SwapTotal')
    const swap =
      swapTotal === undefined
        ? undefined
        : { totalBytes: swapTotal, usedBytes: swapTotal - (kilobytes('SwapFree') ?? swapTotal) }
    // A limit above what there is limits nothing.
    if (!limit || limit.totalBytes >= totalBytes) {
      return { isLimited: false, reading: { totalBytes, availableBytes, processBytes, swap } }
    }
    const reading = {
      totalBytes: limit.totalBytes,
      // The machine may have less left than the container may take.
      availableBytes: Math.min(limit.availableBytes, availableBytes),
      processBytes,
      swap: limit.swap ?? swap,
    }
    return { isLimited: true, reading }
  }

  #diskSpace(): Record<string, DiskSpaceReading> {
    const disks: Record<string, DiskSpaceReading> = {}
    for (const [name, directory] of Object.entries(this.#disks)) {
      try {
        const { bsize, blocks, bavail } = statfsSync(directory)
        disks[name] = { totalBytes: blocks * bsize, availableBytes: bavail * bsize }
      } catch {
        // Not made yet, or gone: what it lies on is not known.
      }
    }
    return disks
  }
}

function cpuReading(before: Counts, now: Counts, durationMs: number): CpuReading {
  const shares = now.cores.map((times, core) => shareOf(before.cores[core], times))
  const whole = shareOf(sumOf(before.cores), sumOf(now.cores))
  const [one = 0, five = 0, fifteen = 0] = loadavg()
  const seconds = durationMs / 1000
  const used = now.processSeconds - before.processSeconds
  const common = {
    busyRatioByCore: shares.map(({ busy }) => busy),
    stealRatio: whole.steal,
    load: { 1: one, 5: five, 15: fifteen },
  }
  const limit = now.cgroup.cpu
  // A hardened system may show no core.
  const hardware = now.cores.length || availableParallelism()
  if (!limit || limit.cores >= hardware) {
    const processRatio = ratio(used, hardware * seconds)
    return { cores: hardware, busyRatio: whole.busy, processRatio, ...common }
  }
  const grew = (name: 'usedSeconds' | 'throttledSeconds') =>
    limit[name] - (before.cgroup.cpu?.[name] ?? limit[name])
  return {
    cores: limit.cores,
    busyRatio: ratio(grew('usedSeconds'), limit.cores * seconds),
    processRatio: ratio(used, limit.cores * seconds),
    throttledRatio: ratio(grew('throttledSeconds'), seconds),
    ...common,
  }
}

function ratio(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole))
}
