import type { MetricsRegistry } from '../registry/registry.js'
import { SystemMonitor, type SystemMonitorOptions } from './system-monitor.js'

const ratio = <const L extends string = never>(what: string, ...labelNames: L[]) => ({
  type: 'gauge' as const,
  help: `${what}, since the last scrape.`,
  aggregate: 'max' as const,
  labelNames,
})
const size = <const L extends string = never>(help: string, ...labelNames: L[]) => ({
  type: 'gauge' as const,
  help,
  aggregate: 'max' as const,
  labelNames,
})
const traffic = (help: string) => ({
  type: 'counter' as const,
  help,
  labelNames: ['direction'] as const,
})

/**
 * Adds what is usual to know of the machine, or of the container that limits it: processors, memory, disks, network, and the
 * share of this process in them, as `nexus_system_*`.
 *
 * @returns a function that removes them again
 * @throws {@link MetricsError} `NAME_TAKEN` when the registry has them already
 *
 * @example
 * ```ts
 * const remove = addSystemMetrics(registry, { disks: { data: '/var/lib/app' } })
 * ```
 */
export function addSystemMetrics(
  registry: MetricsRegistry,
  options: SystemMonitorOptions = {},
): () => void {
  const monitor = new SystemMonitor(options)
  return registry.observe({
    metrics: {
      cores: { name: 'nexus_system_cpu_cores', ...size('Processors that may be used at once.') },
      busy: {
        name: 'nexus_system_cpu_busy_ratio',
        ...ratio('Share of the processors that was busy'),
      },
      core: {
        name: 'nexus_system_cpu_core_busy_ratio',
        ...ratio('Share of each core of the hardware that was busy', 'core'),
      },
      own: {
        name: 'nexus_system_cpu_process_ratio',
        ...ratio('Share of the processors that this process used'),
        aggregate: 'sum' as const,
      },
      steal: {
        name: 'nexus_system_cpu_steal_ratio',
        ...ratio('Share of the time that a hypervisor gave to others'),
      },
      throttled: {
        name: 'nexus_system_cpu_throttled_ratio',
        ...ratio('Share of the time that the container waited because it had used its limit'),
      },
      load: {
        name: 'nexus_system_load_average',
        ...size('Programs that ran or waited to run, on average.', 'minutes'),
      },
      memory: { name: 'nexus_system_memory_total_bytes', ...size('Memory of the machine.') },
      available: {
        name: 'nexus_system_memory_available_bytes',
        ...size('Memory that programs can still get without swapping.'),
      },
      swap: { name: 'nexus_system_swap_total_bytes', ...size('Memory on disk.') },
      swapUsed: { name: 'nexus_system_swap_used_bytes', ...size('Used memory on disk.') },
      disk: {
        name: 'nexus_system_disk_total_bytes',
        ...size('Size of the disk that a directory lies on.', 'disk'),
      },
      diskFree: {
        name: 'nexus_system_disk_available_bytes',
        ...size('What may still be written to that disk.', 'disk'),
      },
      diskIo: {
        name: 'nexus_system_disk_io_bytes_total',
        ...traffic('Bytes that all disks of the machine read and wrote.'),
      },
      ownDiskIo: {
        name: 'nexus_system_process_disk_io_bytes_total',
        ...traffic('Bytes that this process read from and wrote to disks.'),
      },
      network: {
        name: 'nexus_system_network_bytes_total',
        ...traffic('Bytes that all network interfaces but the loopback received and sent.'),
      },
    },
    collect(observe) {
      const { cpu, memory, disks, diskIo, processDiskIo, network } = monitor.read()
      observe.cores(cpu.cores)
      observe.busy(cpu.busyRatio)
      for (const [core, busy] of cpu.busyRatioByCore.entries()) {
        observe.core(busy, { core: String(core) })
      }
      observe.own(cpu.processRatio)
      if (cpu.stealRatio !== undefined) observe.steal(cpu.stealRatio)
      if (cpu.throttledRatio !== undefined) observe.throttled(cpu.throttledRatio)
      for (const [minutes, load] of Object.entries(cpu.load)) observe.load(load, { minutes })
      observe.memory(memory.totalBytes)
      observe.available(memory.availableBytes)
      if (memory.swap) {
        observe.swap(memory.swap.totalBytes)
        observe.swapUsed(memory.swap.usedBytes)
      }
      for (const [disk, { totalBytes, availableBytes }] of Object.entries(disks)) {
        observe.disk(totalBytes, { disk })
        observe.diskFree(availableBytes, { disk })
      }
      if (diskIo) {
        observe.diskIo(diskIo.inBytes, { direction: 'read' })
        observe.diskIo(diskIo.outBytes, { direction: 'write' })
      }
      if (processDiskIo) {
        observe.ownDiskIo(processDiskIo.inBytes, { direction: 'read' })
        observe.ownDiskIo(processDiskIo.outBytes, { direction: 'write' })
      }
      if (network) {
        observe.network(network.inBytes, { direction: 'receive' })
        observe.network(network.outBytes, { direction: 'transmit' })
      }
    },
  })
}
