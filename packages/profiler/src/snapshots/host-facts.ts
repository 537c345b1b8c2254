/** What the machine is; read once, as it does not change. */
export interface HostFacts {
  /** Its processor. */
  cpu: { model: string; cores: number; physicalCores: number; speedGHz: number }
  /** Its memory, in bytes. */
  memoryBytes: number
  /** Its operating system. */
  os: { platform: string; distribution: string; release: string; arch: string }
  /** Whether it is a virtual machine, as far as can be told. */
  virtual: boolean
}

let facts: Promise<HostFacts> | undefined

/** Reads the facts with `systeminformation`, which is loaded only now: it costs some 100 ms the first time. */
export function readHostFacts(): Promise<HostFacts> {
  facts ??= load()
  return facts
}

async function load(): Promise<HostFacts> {
  const { default: si } = await import('systeminformation')
  const [cpu, memory, os, system] = await Promise.all([
    si.cpu(),
    si.mem(),
    si.osInfo(),
    si.system(),
  ])
  return {
    cpu: {
      model: `${cpu.manufacturer} ${cpu.brand}`.trim(),
      cores: cpu.cores,
      physicalCores: cpu.physicalCores,
      speedGHz: cpu.speed,
    },
    memoryBytes: memory.total,
    os: { platform: os.platform, distribution: os.distro, release: os.release, arch: os.arch },
    virtual: system.virtual,
  }
}
