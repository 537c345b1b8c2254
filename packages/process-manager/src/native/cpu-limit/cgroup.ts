import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CpuLimit } from './limit.js'

const PERIOD_US = 100_000

/**
 * Moves a process, with all it will start, into a cgroup of its own with a quota. Null where the system has no cgroup v2
 * with the cpu controller, or where this user may not write one, as in most containers.
 *
 * @param root where the hierarchy is mounted
 */
export function limitByCgroup(
  pid: number,
  percent: number,
  root = '/sys/fs/cgroup',
): CpuLimit | null {
  if (process.platform !== 'linux') return null
  for (const parent of candidates(root)) {
    const group = join(parent, `nexus-${pid}`)
    try {
      prepare(parent)
      mkdirSync(group, { recursive: true })
    } catch {
      continue
    }
    try {
      writeFileSync(
        join(group, 'cpu.max'),
        `${Math.round((percent / 100) * PERIOD_US)} ${PERIOD_US}`,
      )
      writeFileSync(join(group, 'cgroup.procs'), String(pid))
      return { by: 'cgroup', lift: () => lift(group) }
    } catch {
      lift(group)
    }
  }
  return null
}

/** The daemon's own group, then the one above it: a group that holds processes cannot hand out controllers. */
function candidates(root: string): string[] {
  try {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
    if (own === undefined) return []
    return [...new Set([join(root, own), own === '/' ? root : join(root, dirname(own))])]
  } catch {
    return []
  }
}

function prepare(parent: string) {
  const control = join(parent, 'cgroup.subtree_control')
  if (!readFileSync(control, 'utf8').split(/\s+/).includes('cpu')) writeFileSync(control, '+cpu')
}

function lift(group: string) {
  try {
    writeFileSync(join(group, 'cpu.max'), `max ${PERIOD_US}`)
    rmdirSync(group)
  } catch {
    // Its process has not ended yet: it runs freely, and the group goes when this is called after its end.
  }
}
