import type { SystemFiles } from './system-files.js'
import type { TrafficReading } from './system-reading.js'

/** Bytes since the start of the machine or process. */
export interface Traffic {
  inBytes: number
  outBytes: number
}

/** `/proc/diskstats` counts in sectors of this size, whatever the disk has. */
const SECTOR_BYTES = 512

/** What is no disk, or stands for disks that are counted already. */
const NO_DISK = /^(loop|ram|zram|dm-|md|sr|fd|nbd)\d*/

/** All disks of the machine; undefined where it does not tell. */
export function readDiskTraffic(files: SystemFiles): Traffic | undefined {
  const text = files.text('proc/diskstats')
  if (text === undefined) return undefined
  const disks = new Set(files.names('sys/block').filter((name) => !NO_DISK.test(name)))
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/))
  const whole = rows.filter(([, , name]) => name !== undefined && disks.has(name))
  return total(whole.map((row) => [Number(row[5]) * SECTOR_BYTES, Number(row[9]) * SECTOR_BYTES]))
}

/** What this process read from and wrote to disks; undefined where the system does not tell. */
export function readProcessDiskTraffic(files: SystemFiles): Traffic | undefined {
  const inBytes = files.field('read_bytes', 'proc/self/io')
  const outBytes = files.field('write_bytes', 'proc/self/io')
  return inBytes === undefined || outBytes === undefined ? undefined : { inBytes, outBytes }
}

/** All network interfaces but the loopback; undefined where the system does not tell. */
export function readNetworkTraffic(files: SystemFiles): Traffic | undefined {
  const text = files.text('proc/self/net/dev')
  if (text === undefined) return undefined
  const rows = [...text.matchAll(/^\s*([^\s:|]+):\s*(.*)$/gm)]
    .filter(([, name]) => name !== 'lo')
    .map(([, , numbers]) => numbers!.trim().split(/\s+/).map(Number))
  return total(rows.map((row) => [row[0] ?? 0, row[8] ?? 0]))
}

function total(rows: readonly [inBytes: number, outBytes: number][]): Traffic {
  return rows.reduce(
    (sum, [inBytes, outBytes]) => {
      return { inBytes: sum.inBytes + inBytes, outBytes: sum.outBytes + outBytes }
    },
    { inBytes: 0, outBytes: 0 },
  )
}

/** With what passed since a reading before. */
export function rated(
  before: Traffic | undefined,
  now: Traffic | undefined,
  durationMs: number,
): TrafficReading | undefined {
  if (!now) return undefined
  // A disk or an interface that went away takes its counts along.
  const perSecond = (from: number, to: number) => (Math.max(0, to - from) / durationMs) * 1000
  const from = before ?? now
  return {
    ...now,
    inBytesPerSecond: perSecond(from.inBytes, now.inBytes),
    outBytesPerSecond: perSecond(from.outBytes, now.outBytes),
  }
}
