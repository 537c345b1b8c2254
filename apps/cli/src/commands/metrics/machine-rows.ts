import type { MachineReport, TrafficReport } from '@nexus/client'
import { printable } from '../../terminal/terminal.js'
import { formatBytes } from '../cache/cache-text.js'

/** What the machine does, and the server's share. */
export function machineRows(machine: MachineReport): [string, string][] {
  const { cpu, memory, disks, diskIo, network } = machine
  const limit = cpu.throttledRatio === undefined ? '' : `, ${percent(cpu.throttledRatio)} throttled`
  const rows: [string, string][] = [
    ['CPU', `${percent(cpu.busyRatio)} of ${Number(cpu.cores.toFixed(2))} cores${limit}`],
    ['By core', cpu.busyRatioByCore.map(percent).join(', ')],
    ['By server', percent(cpu.processRatio)],
    ['Load', [cpu.load[1], cpu.load[5], cpu.load[15]].map((load) => load.toFixed(2)).join(', ')],
    ['Memory', `${free(memory)}, ${formatBytes(memory.processBytes)} by the server`],
  ]
  if (memory.swap) {
    const { usedBytes, totalBytes } = memory.swap
    rows.push(['Swap', `${formatBytes(usedBytes)} of ${formatBytes(totalBytes)}`])
  }
  for (const [name, disk] of Object.entries(disks))
    rows.push([`Disk: ${printable(name)}`, free(disk)])
  if (diskIo) rows.push(['Disk I/O', rates(diskIo, 'read', 'written')])
  if (network) rows.push(['Network', rates(network, 'received', 'sent')])
  return rows
}

function free({ availableBytes, totalBytes }: { availableBytes: number; totalBytes: number }) {
  return `${formatBytes(availableBytes)} free of ${formatBytes(totalBytes)}`
}

function rates({ inBytesPerSecond, outBytesPerSecond }: TrafficReport, into: string, out: string) {
  return `${formatBytes(inBytesPerSecond)}/s ${into}, ${formatBytes(outBytesPerSecond)}/s ${out}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
