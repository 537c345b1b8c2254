import { cpus } from 'node:os'
import type { SystemFiles } from './system-files.js'

/** Time that processors spent since the start of the machine, in any one unit. */
export interface CpuTimes {
  busy: number
  idle: number
  /** Absent where the system does not tell. */
  steal?: number | undefined
}

/** The times of each core: from `/proc/stat`, which tells what a hypervisor took, or as Node tells them. */
export function readCpuTimes(files: SystemFiles): CpuTimes[] {
  const lines = files.text('proc/stat')?.match(/^cpu\d+ .*$/gm) ?? []
  const cores = lines.map(timesOfLine)
  return cores.length > 0 ? cores : cpus().map(({ times }) => timesOfNode(times))
}

/** The order of the numbers is that of proc(5); guests are part of `user`. */
function timesOfLine(line: string): CpuTimes {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    line.split(/\s+/).slice(1).map(Number)
  return { busy: user + nice + system + irq + softirq + steal, idle: idle + iowait, steal }
}

function timesOfNode({ user, nice, sys, irq, idle }: ReturnType<typeof cpus>[number]['times']) {
  return { busy: user + nice + sys + irq, idle }
}

/** Shares of the time between two readings, 0 to 1. */
export function shareOf(
  before: CpuTimes | undefined,
  now: CpuTimes,
): { busy: number; steal?: number } {
  const busy = Math.max(0, now.busy - (before?.busy ?? 0))
  const idle = Math.max(0, now.idle - (before?.idle ?? 0))
  const total = busy + idle
  const share = (part: number) => (total === 0 ? 0 : Math.min(1, part / total))
  if (now.steal === undefined) return { busy: share(busy) }
  return { busy: share(busy), steal: share(Math.max(0, now.steal - (before?.steal ?? 0))) }
}

/** All cores together. */
export function sumOf(cores: readonly CpuTimes[]): CpuTimes {
  const sum = (part: (times: CpuTimes) => number) =>
    cores.reduce((total, times) => total + part(times), 0)
  const tellsSteal = cores.some(({ steal }) => steal !== undefined)
  return {
    busy: sum(({ busy }) => busy),
    idle: sum(({ idle }) => idle),
    steal: tellsSteal ? sum(({ steal = 0 }) => steal) : undefined,
  }
}
