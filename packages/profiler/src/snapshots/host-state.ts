/** Figures of the machine that cost a program or many files to read. */
export interface HostState {
  /** When they were read, in milliseconds since the epoch. */
  timestamp: number
  /** Every mounted file system, at most 50, the fullest first; sizes in bytes. */
  fileSystems: { mount: string; type: string; totalBytes: number; usedBytes: number }[]
  /** Of the processor, in degrees Celsius; absent where no sensor tells. */
  temperatureCelsius?: number | undefined
  /** Programs on the machine, and those that use the most of it, by share of one core. */
  processes: {
    count: number
    busiest: { name: string; pid: number; cpuPercent: number; memoryBytes: number }[]
  }
}

const MAX_FILE_SYSTEMS = 50
const MAX_BUSIEST = 5

/** Reads them with `systeminformation`, which is loaded only now: it costs some 100 ms the first time. */
export async function readHostState(): Promise<HostState> {
  const { default: si } = await import('systeminformation')
  const [fileSystems, temperature, processes] = await Promise.all([
    si.fsSize(),
    si.cpuTemperature(),
    si.processes(),
  ])
  return {
    timestamp: Date.now(),
    fileSystems: fileSystems
      .map(({ mount, type, size, used }) => ({ mount, type, totalBytes: size, usedBytes: used }))
      .sort((a, b) => b.usedBytes / b.totalBytes - a.usedBytes / a.totalBytes)
      .slice(0, MAX_FILE_SYSTEMS),
    temperatureCelsius: temperature.main ?? undefined,
    processes: {
      count: processes.all,
      busiest: processes.list
        .sort((a, b) => b.cpu - a.cpu)
        .slice(0, MAX_BUSIEST)
        .map(({ name, pid, cpu, memRss }) => ({
          ...{ name, pid, cpuPercent: cpu, memoryBytes: memRss * 1024 },
        })),
    },
  }
}
