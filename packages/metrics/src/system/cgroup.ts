import type { SystemFiles } from './system-files.js'

/** What a control group allows and uses; absent is what it does not limit. */
export interface CgroupFigures {
  cpu?: { cores: number; usedSeconds: number; throttledSeconds: number } | undefined
  memory?:
    | {
        totalBytes: number
        availableBytes: number
        swap?: { totalBytes: number; usedBytes: number } | undefined
      }
    | undefined
}

/** Reads the limits that hold for this process: the tightest from its own group upwards, of version 2 or 1. */
export function readCgroup(files: SystemFiles): CgroupFigures {
  const groups = groupsOf(files)
  const cpu =
    tightest(directories(groups.unified), (at) => cpuOfV2(files, at), byCores) ??
    tightest(directories(groups.cpu), (at) => cpuOfV1(files, at, groups), byCores)
  const memory =
    tightest(directories(groups.unified), (at) => memoryOfV2(files, at), byTotal) ??
    tightest(directories(groups.memory), (at) => memoryOfV1(files, at), byTotal)
  return { cpu, memory }
}

type Cpu = NonNullable<CgroupFigures['cpu']>
type Memory = NonNullable<CgroupFigures['memory']>

const byCores = ({ cores }: Cpu) => cores
const byTotal = ({ totalBytes }: Memory) => totalBytes

function tightest<T>(
  all: readonly string[],
  read: (directory: string) => T | undefined,
  size: (limit: T) => number,
): T | undefined {
  const limits = all.flatMap((directory) => read(directory) ?? [])
  return limits.sort((a, b) => size(a) - size(b))[0]
}

function cpuOfV2(files: SystemFiles, at: string): Cpu | undefined {
  const [quota, period] = (files.text(at, 'cpu.max') ?? '').trim().split(' ').map(Number)
  if (!quota || !period) return undefined
  const used = files.field('usage_usec', at, 'cpu.stat') ?? 0
  const throttled = files.field('throttled_usec', at, 'cpu.stat') ?? 0
  return { cores: quota / period, usedSeconds: used / 1e6, throttledSeconds: throttled / 1e6 }
}

function cpuOfV1(files: SystemFiles, at: string, { cpu, cpuacct }: Groups): Cpu | undefined {
  const quota = files.number(at, 'cpu.cfs_quota_us')
  const period = files.number(at, 'cpu.cfs_period_us')
  if (!quota || !period || !cpu) return undefined
  const account = cpuacct ? cpuacct.mount + at.slice(cpu.mount.length) : at
  const used = files.number(account, 'cpuacct.usage') ?? 0
  const throttled = files.field('throttled_time', at, 'cpu.stat') ?? 0
  return { cores: quota / period, usedSeconds: used / 1e9, throttledSeconds: throttled / 1e9 }
}

function memoryOfV2(files: SystemFiles, at: string): Memory | undefined {
  const totalBytes = files.number(at, 'memory.max')
  const used = files.number(at, 'memory.current')
  if (totalBytes === undefined || used === undefined) return undefined
  const cached = files.field('inactive_file', at, 'memory.stat') ?? 0
  const swapTotal = files.number(at, 'memory.swap.max')
  const swapUsed = files.number(at, 'memory.swap.current')
  return {
    totalBytes,
    availableBytes: available(totalBytes, used, cached),
    swap:
      swapTotal === undefined || swapUsed === undefined
        ? undefined
        : { totalBytes: swapTotal, usedBytes: swapUsed },
  }
}

/** Version 1 says that there is no limit with the largest number of pages. */
const UNLIMITED_BYTES = 2 ** 60

function memoryOfV1(files: SystemFiles, at: string): Memory | undefined {
  const totalBytes = files.number(at, 'memory.limit_in_bytes')
  const used = files.number(at, 'memory.usage_in_bytes')
  if (totalBytes === undefined || used === undefined || totalBytes > UNLIMITED_BYTES) {
    return undefined
  }
  const cached = files.field('total_inactive_file', at, 'memory.stat') ?? 0
  const both = files.number(at, 'memory.memsw.limit_in_bytes')
  const bothUsed = files.number(at, 'memory.memsw.usage_in_bytes')
  const hasSwap = both !== undefined && bothUsed !== undefined && both <= UNLIMITED_BYTES
  return {
    totalBytes,
    availableBytes: available(totalBytes, used, cached),
    swap: hasSwap
      ? { totalBytes: both - totalBytes, usedBytes: Math.max(0, bothUsed - used) }
      : undefined,
  }
}

/** Memory that holds parts of files, and that no process has used for a while, is freed when memory is needed. */
function available(total: number, used: number, cached: number): number {
  return Math.max(0, total - Math.max(0, used - cached))
}

/** Where a hierarchy is mounted, and the path of this process's group below it. */
interface Group {
  mount: string
  below: string
}

interface Groups {
  unified?: Group
  cpu?: Group
  cpuacct?: Group
  memory?: Group
}

function groupsOf(files: SystemFiles): Groups {
  const paths = new Map<string, string>()
  for (const line of (files.text('proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    for (const name of controllers?.split(',') ?? []) paths.set(name || 'unified', path!)
  }
  const groups: Groups = {}
  for (const line of (files.text('proc/self/mountinfo') ?? '').split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [root, mount] = before.split(' ').slice(3, 5).map(unescaped)
    const [type, , options = ''] = after.split(' ')
    if (root === undefined || mount === undefined) continue
    const names = type === 'cgroup2' ? ['unified'] : type === 'cgroup' ? options.split(',') : []
    for (const name of ['unified', 'cpu', 'cpuacct', 'memory'] as const) {
      const path = paths.get(name)
      if (path === undefined || !names.includes(name)) continue
      groups[name] ??= { mount, below: below(root, path) }
    }
  }
  return groups
}

/** A container may see the path that its group has outside, where the mount shows the group itself. */
function below(root: string, path: string): string {
  if (path.split('/').includes('..')) return ''
  if (root === '/') return path === '/' ? '' : path
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : ''
}

/** From the group of the process up to the mount. */
function directories(group: Group | undefined): string[] {
  if (!group) return []
  const parts = group.below.split('/').filter(Boolean)
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    [group.mount, ...parts.slice(0, parts.length - i)].join('/'),
  )
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
