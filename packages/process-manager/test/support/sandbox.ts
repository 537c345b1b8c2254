import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  NativeEngine,
  type NativeEngineOptions,
  type ServiceLogLine,
  type ServiceStatus,
} from '@nexus/process-manager'
import { eventually } from '@nexus/test-kit'
import { expect, onTestFinished } from 'vitest'

/** A home of its own, whose daemon and services are gone when the test is. */
export interface Sandbox {
  home: string
  /** Where the daemon keeps its files. */
  root: string
  engine: NativeEngine
  newEngine(options?: NativeEngineOptions): NativeEngine
  /** Every process that was started from this sandbox and still runs, its daemon too. */
  processes(): number[]
}

/** Long enough for a slow machine; a test that passes never waits for it. */
const PATIENCE_MS = 20_000

export function sandbox(options: NativeEngineOptions = {}): Sandbox {
  const home = mkdtempSync(join(tmpdir(), 'nexus-pm-'))
  const mark = `NEXUS_TEST_SANDBOX=${randomUUID()}`
  const [variable = '', value] = mark.split('=')
  const engines: NativeEngine[] = []
  const newEngine = (more: NativeEngineOptions = {}) => {
    // The daemon inherits the environment, and everything it starts does: that is how its processes are found.
    process.env[variable] = value
    const { daemon, ...rest } = { ...options, ...more }
    const engine = new NativeEngine({
      home,
      requestTimeoutMs: PATIENCE_MS,
      ...rest,
      daemon: { warmPool: { size: 0 }, ...daemon },
    })
    engines.push(engine)
    return engine
  }
  const processes = () => processesWith(mark)
  onTestFinished(async () => {
    for (const engine of engines) await engine.close()
    for (let round = 0; processes().length > 0; round++) {
      for (const pid of processes()) killGroup(pid)
      expect(round, 'rounds of killing').toBeLessThan(200)
      await pause(25)
    }
    rmSync(home, { recursive: true, force: true })
  }, 60_000)
  return { home, root: join(home, 'services'), engine: newEngine(), newEngine, processes }
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
}

/** The status of a service once it fits. */
export function statusOf(
  engine: NativeEngine,
  name: string,
  fits: (status: ServiceStatus) => boolean,
): Promise<ServiceStatus> {
  return eventually(
    async () => (await engine.list()).find((service) => service.name === name) as ServiceStatus,
    (status) => status !== undefined && fits(status),
  )
}

export async function logLines(
  engine: NativeEngine,
  name: string,
  count = 100,
): Promise<ServiceLogLine[]> {
  const lines: ServiceLogLine[] = []
  for await (const line of engine.logs(name, { lines: count })) lines.push(line)
  return lines
}

export async function getJson<T = { pid: number } & Record<string, unknown>>(
  port: number,
  path = '/',
): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return (await response.json()) as T
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && isAlive(pid) && environ(pid).includes(mark))
}

function environ(pid: number) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

function killGroup(pid: number) {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL')
    } catch {
      // It leads no group, or is gone.
    }
  }
}
