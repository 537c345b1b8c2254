import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { addSystemMetrics, MetricsRegistry, SystemMonitor } from '@nexus/metrics'
import { describe, expect, it, onTestFinished } from 'vitest'

const GIB = 1024 ** 3
type Files = Record<string, string>

/** Two cores, one disk with a partition, 8 GiB of memory. */
const machine: Files = {
  'proc/stat': stat([100, 300, 0], [200, 200, 0]),
  'proc/meminfo': `MemTotal: ${8 * 1024 ** 2} kB\nMemAvailable: ${4 * 1024 ** 2} kB\nSwapTotal: ${1024 ** 2} kB\nSwapFree: ${768 * 1024} kB\n`,
  'proc/diskstats': diskstats(1000, 2000),
  'sys/block/vda/size': '',
  'sys/block/loop0/size': '',
  'proc/self/io': 'rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n',
  'proc/self/net/dev': netDev(5000, 700),
}

function stat(...cores: [busy: number, idle: number, steal: number][]): string {
  const line = (name: string, [busy, idle, steal]: [number, number, number]) =>
    `${name} ${busy} 0 0 ${idle} 0 0 0 ${steal} 0 0`
  return [
    line('cpu ', [0, 0, 0]),
    ...cores.map((core, i) => line(`cpu${i}`, core)),
    'intr 1',
    '',
  ].join('\n')
}

function diskstats(readSectors: number, writtenSectors: number): string {
  return [
    `   7 0 loop0 9 0 ${readSectors} 0 9 0 ${writtenSectors} 0 0 0 0`,
    ` 254 0 vda 9 0 ${readSectors} 0 9 0 ${writtenSectors} 0 0 0 0`,
    ` 254 1 vda1 9 0 ${readSectors} 0 9 0 ${writtenSectors} 0 0 0 0`,
  ].join('\n')
}

function netDev(received: number, sent: number): string {
  const row = (name: string) => `${name}: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0`
  return `Inter-|   Receive | Transmit\n face |bytes packets|bytes packets\n${row('    lo')}\n${row('  eth0')}\n`
}

async function opened(files: Files, limits: Files = {}) {
  const root = await mkdtemp(join(tmpdir(), 'nexus-system-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const write = async (more: Files) => {
    for (const [name, text] of Object.entries(more)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), text)
    }
  }
  await write({ ...files, ...limits })
  let now = 1000
  const monitor = new SystemMonitor({ root, disks: { root }, clock: { now: () => now } })
  const after = async (ms: number, more: Files = {}) => {
    await write(more)
    now += ms
    return monitor.read()
  }
  return { root, after }
}

describe('a machine without limits', () => {
  it('tells processors, memory, disks and network as the kernel does', async () => {
    const { after } = await opened(machine)
    const reading = await after(2000, {
      'proc/stat': stat([150, 350, 25], [250, 250, 0]),
      'proc/diskstats': diskstats(1000 + 8, 2000 + 16),
      'proc/self/net/dev': netDev(5000 + 1000, 700 + 300),
    })
    expect(reading).toMatchObject({
      scope: 'machine',
      durationMs: 2000,
      memory: {
        totalBytes: 8 * GIB,
        availableBytes: 4 * GIB,
        swap: { totalBytes: GIB, usedBytes: GIB / 4 },
      },
      diskIo: {
        ...{ inBytes: 1008 * 512, outBytes: 2016 * 512 },
        ...{ inBytesPerSecond: (8 * 512) / 2, outBytesPerSecond: (16 * 512) / 2 },
      },
      processDiskIo: { inBytes: 4096, outBytes: 8192, inBytesPerSecond: 0, outBytesPerSecond: 0 },
      network: { inBytes: 6000, outBytes: 1000, inBytesPerSecond: 500, outBytesPerSecond: 150 },
    })
    // What is stolen is busy as well: 75 of 125, and 50 of 100.
    expect(reading.cpu).toMatchObject({ cores: 2, busyRatioByCore: [75 / 125, 0.5] })
    expect(reading.cpu.busyRatio).toBeCloseTo(125 / 225)
    expect(reading.cpu.stealRatio).toBeCloseTo(25 / 225)
    expect(reading.cpu.throttledRatio).toBeUndefined()
  })

  it('counts that go down, such as of a disk that was taken out, are no negative rates', async () => {
    const { after } = await opened(machine)
    const { diskIo, network, cpu } = await after(1000, {
      'proc/stat': stat([0, 0, 0], [0, 0, 0]),
      'proc/diskstats': diskstats(0, 0),
      'proc/self/net/dev': netDev(0, 0),
    })
    expect([diskIo, network]).toEqual(
      Array(2).fill({ inBytes: 0, outBytes: 0, inBytesPerSecond: 0, outBytesPerSecond: 0 }),
    )
    expect(cpu).toMatchObject({ busyRatio: 0, busyRatioByCore: [0, 0] })
  })

  it('what the kernel hides is absent, and what Node knows is there', async () => {
    const { after } = await opened({})
    const reading = await after(1000)
    expect(reading).toMatchObject({ scope: 'machine', memory: { totalBytes: totalmem() } })
    expect(reading.cpu.busyRatioByCore.length).toBe(reading.cpu.cores)
    expect([reading.diskIo, reading.processDiskIo, reading.network, reading.memory.swap]).toEqual(
      Array(4).fill(undefined),
    )
  })
})

const v2 = (mount: string, root = '/'): Files => ({
  'proc/self/mountinfo': `30 22 0:27 ${root} ${mount} rw,nosuid - cgroup2 cgroup rw\n`,
})
const v1 = (root = '/'): Files => ({
  'proc/self/mountinfo': ['memory', 'cpu,cpuacct']
    .map(
      (names, i) =>
        `3${i} 22 0:3${i} ${root} /sys/fs/cgroup/${names} rw - cgroup cgroup rw,${names}\n`,
    )
    .join(''),
})
const v2Limits = (at: string, used = 0): Files => ({
  [`${at}/cpu.max`]: '50000 100000\n',
  [`${at}/cpu.stat`]: `usage_usec ${used}\nnr_throttled 4\nthrottled_usec ${used / 2}\n`,
  [`${at}/memory.max`]: `${GIB}\n`,
  [`${at}/memory.current`]: `${GIB / 2}\n`,
  [`${at}/memory.stat`]: `anon 1\ninactive_file ${GIB / 4}\n`,
  [`${at}/memory.swap.max`]: '0\n',
  [`${at}/memory.swap.current`]: '0\n',
})
const v1Limits = (memory: string, cpu: string, used = 0): Files => ({
  [`${cpu}/cpu.cfs_quota_us`]: '50000\n',
  [`${cpu}/cpu.cfs_period_us`]: '100000\n',
  [`${cpu}/cpu.stat`]: `nr_periods 1\nthrottled_time ${used * 500}\n`,
  [`${cpu}/cpuacct.usage`]: `${used * 1000}\n`,
  [`${memory}/memory.limit_in_bytes`]: `${GIB}\n`,
  [`${memory}/memory.usage_in_bytes`]: `${GIB / 2}\n`,
  [`${memory}/memory.stat`]: `inactive_file 0\ntotal_inactive_file ${GIB / 4}\n`,
  [`${memory}/memory.memsw.limit_in_bytes`]: `${GIB}\n`,
  [`${memory}/memory.memsw.usage_in_bytes`]: `${GIB / 2}\n`,
})
const fs = 'sys/fs/cgroup'

/** Where the limits are written, and what the kernel says of that place. */
const containers: Record<string, { says: Files; limits: (used: number) => Files }> = {
  'version 2 with a namespace': {
    says: { ...v2('/sys/fs/cgroup'), 'proc/self/cgroup': '0::/\n' },
    limits: (used) => v2Limits(fs, used),
  },
  'version 2 without a namespace': {
    says: { ...v2('/sys/fs/cgroup', '/docker/abc'), 'proc/self/cgroup': '0::/docker/abc\n' },
    limits: (used) => v2Limits(fs, used),
  },
  'version 2 with the path of the host outside the mount': {
    says: { ...v2('/sys/fs/cgroup'), 'proc/self/cgroup': '0::/../../abc\n' },
    limits: (used) => v2Limits(fs, used),
  },
  'version 2, limited by a group above': {
    says: {
      ...v2('/sys/fs/cgroup'),
      'proc/self/cgroup': '0::/a/b/c\n',
      [`${fs}/a/b/c/memory.max`]: 'max\n',
    },
    limits: (used) => v2Limits(`${fs}/a`, used),
  },
  'version 2, limited twice': {
    says: {
      ...v2('/sys/fs/cgroup'),
      'proc/self/cgroup': '0::/a/b\n',
      [`${fs}/a/b/memory.max`]: `${2 * GIB}\n`,
      [`${fs}/a/b/memory.current`]: '0\n',
      [`${fs}/a/b/cpu.max`]: '100000 100000\n',
    },
    limits: (used) => v2Limits(`${fs}/a`, used),
  },
  'version 2 at a mount with a space': {
    says: { ...v2('/sys/fs/my\\040groups'), 'proc/self/cgroup': '0::/\n' },
    limits: (used) => v2Limits('sys/fs/my groups', used),
  },
  'version 1 with a namespace': {
    says: { ...v1(), 'proc/self/cgroup': '5:memory:/\n4:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n' },
    limits: (used) => v1Limits(`${fs}/memory`, `${fs}/cpu,cpuacct`, used),
  },
  'version 1 without a namespace': {
    says: {
      ...v1('/docker/abc'),
      'proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n',
    },
    limits: (used) => v1Limits(`${fs}/memory`, `${fs}/cpu,cpuacct`, used),
  },
  'version 1 in a group of its own, beside version 2 without controllers': {
    says: {
      'proc/self/mountinfo': `${v1()['proc/self/mountinfo']}40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      'proc/self/cgroup': '5:memory:/app/x\n4:cpu,cpuacct:/app\n0::/\n',
      [`${fs}/memory/app/x/memory.limit_in_bytes`]: '9223372036854771712\n',
    },
    limits: (used) => v1Limits(`${fs}/memory/app`, `${fs}/cpu,cpuacct/app`, used),
  },
}

describe('a container', () => {
  it.each(Object.entries(containers))(
    'its limits are the machine: %s',
    async (_, { says, limits }) => {
      const { after } = await opened(machine, { ...says, ...limits(1_000_000) })
      // Half a core for two seconds is one second of time.
      const reading = await after(2000, limits(1_000_000 + 500_000))
      expect(reading).toMatchObject({
        scope: 'container',
        cpu: { cores: 0.5, busyRatio: 0.5, throttledRatio: 0.125 },
        memory: {
          totalBytes: GIB,
          availableBytes: 0.75 * GIB,
          swap: { totalBytes: 0, usedBytes: 0 },
        },
      })
    },
  )

  it('a limit above what the machine has limits nothing', async () => {
    const { after } = await opened(machine, {
      ...containers['version 2 with a namespace']!.says,
      ...v2Limits(fs),
      [`${fs}/memory.max`]: `${64 * GIB}\n`,
      [`${fs}/cpu.max`]: '800000 100000\n',
    })
    expect(await after(1000)).toMatchObject({
      scope: 'machine',
      cpu: { cores: 2 },
      memory: { totalBytes: 8 * GIB },
    })
  })

  it('no limit is no container', async () => {
    const { after } = await opened(machine, {
      ...containers['version 2 with a namespace']!.says,
      [`${fs}/memory.max`]: 'max\n',
      [`${fs}/cpu.max`]: 'max 100000\n',
    })
    expect(await after(1000)).toMatchObject({ scope: 'machine', cpu: { cores: 2 } })
  })

  it('what is not as it should be, such as half a file, throws nothing', async () => {
    const hostile = ['', '\n', 'cpu0', '0::', '1 2 3 - \n', 'x'.repeat(10_000), '-1 -1', '\0']
    const names = [
      'proc/self/cgroup',
      'proc/self/mountinfo',
      'proc/stat',
      'proc/diskstats',
      'proc/meminfo',
      'proc/self/net/dev',
      'proc/self/io',
    ]
    for (const text of hostile) {
      for (const name of names) {
        const { after } = await opened({ ...machine, [name]: text })
        const { cpu, memory } = await after(1000)
        expect(cpu.busyRatio).toBeGreaterThanOrEqual(0)
        expect(cpu.busyRatio).toBeLessThanOrEqual(1)
        expect(memory.totalBytes).toBeGreaterThan(0)
      }
    }
  })
})

it('the real machine agrees with what Node says of it', async () => {
  const monitor = new SystemMonitor({ disks: { temporary: tmpdir(), gone: '/no/such/directory' } })
  const before = process.cpuUsage()
  while (process.cpuUsage(before).user < 50_000) Math.hypot(1, 2)
  const { cpu, memory, disks, durationMs } = monitor.read()
  expect(durationMs).toBeGreaterThanOrEqual(50)
  expect(cpu.processRatio).toBeGreaterThan(0)
  expect(cpu.busyRatio).toBeGreaterThan(0)
  expect(memory.totalBytes).toBeLessThanOrEqual(totalmem())
  expect(memory.availableBytes).toBeLessThanOrEqual(memory.totalBytes)
  const { blocks, bsize } = await statfs(tmpdir())
  expect(disks).toEqual({
    temporary: { totalBytes: blocks * bsize, availableBytes: expect.any(Number) },
  })
})

it('Prometheus gets every figure, and none stays behind', async () => {
  const registry = new MetricsRegistry()
  const remove = addSystemMetrics(registry, { disks: { data: tmpdir() } })
  const text = registry.toPrometheus()
  for (const name of [
    ...['cpu_cores', 'cpu_busy_ratio', 'cpu_core_busy_ratio{core="0"}', 'cpu_process_ratio'],
    ...['load_average{minutes="15"}', 'memory_total_bytes', 'memory_available_bytes'],
    ...['disk_total_bytes{disk="data"}', 'disk_available_bytes{disk="data"}'],
  ]) {
    expect(text).toMatch(
      new RegExp(`^nexus_system_${name.replace(/[{}]/g, '\\$&')} [\\d.e+-]+$`, 'm'),
    )
  }
  remove()
  expect(registry.toPrometheus()).toBe('')
})
