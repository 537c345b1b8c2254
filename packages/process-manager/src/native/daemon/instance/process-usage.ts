import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { statFields } from '../../../process-identity.js'

/** What a process has used so far and holds now. */
export interface ProcessUsage {
  cpuMs: number
  memoryBytes: number
}

/** The kernel counts in units of 1/100 s for every program. */
const TICK_MS = 10
const USER_TICKS = 11
const SYSTEM_TICKS = 12
const RESIDENT_PAGES = 21

let pageBytes: number | undefined

/** What a process uses, from one read of about 10 µs; null once it is gone. For Linux only. */
export function readUsage(pid: number): ProcessUsage | null {
  try {
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    pageBytes ??= findPageBytes()
    return {
      cpuMs: (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS,
      memoryBytes: Number(fields[RESIDENT_PAGES]) * pageBytes,
    }
  } catch {
    return null
  }
}

/** Node knows its own memory in bytes, the kernel tells it in pages: pages have 4, 16 or 64 KiB. */
function findPageBytes() {
  const pages = Number(statFields(readFileSync('/proc/self/stat', 'latin1'))[RESIDENT_PAGES])
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages))
}

const run = promisify(execFile)

/** What several processes use: by a read each on Linux, by one `ps` for all elsewhere. On Windows, nothing. */
export async function measureAll(pids: readonly number[]): Promise<Map<number, ProcessUsage>> {
  const usages = new Map<number, ProcessUsage>()
  if (process.platform === 'linux') {
    for (const pid of pids) {
      const usage = readUsage(pid)
      if (usage !== null) usages.set(pid, usage)
    }
  } else if (process.platform !== 'win32' && pids.length > 0) {
    // `ps` fails when one of the processes is gone, and still tells of the others.
    const { stdout } = await run('ps', ['-o', 'pid=,rss=,time=', '-p', pids.join()], {
      timeout: 5_000,
    }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
    for (const line of stdout.split('\n')) {
      const [pid, kibibytes, time] = line.trim().split(/\s+/)
      if (time === undefined) continue
      usages.set(Number(pid), { memoryBytes: Number(kibibytes) * 1024, cpuMs: parseCpuTime(time) })
    }
  }
  return usages
}

/** `[days-][hours:]minutes:seconds[.hundredths]` */
export function parseCpuTime(text: string): number {
  const [clock = '', days = '0'] = text.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return Math.round((Number(days) * 86_400 + seconds) * 1_000)
}
