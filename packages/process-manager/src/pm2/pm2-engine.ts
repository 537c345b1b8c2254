import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessManagerError } from '../errors.js'
import { CommandLock } from '../locks/command-lock.js'
import { checkHealth } from '../native/daemon/health/health-check.js'
import { readRegularFile } from '../native/files/regular-file.js'
import { writeAtomically } from '../native/files/write-atomically.js'
import { parseOptions } from '../parse-options.js'
import type { HealthReport, LogQuery, ProcessEngine, ServiceLogLine } from '../process-engine.js'
import type { HealthCheck, ServiceDefinition, ServiceStatus } from '../service/service.js'
import { type ResolvedDefinition, withDefaults } from '../service/service-defaults.js'
import { ConnectionPool, type ConnectionPoolStats } from './connection-pool.js'
import {
  type Pm2EngineOptions,
  pm2EngineSchema,
  type ResolvedPm2EngineOptions,
} from './pm2-engine-options.js'
import { pm2Log } from './pm2-log.js'
import {
  fingerprintOf,
  logFilesOf,
  type Pm2Environment,
  type Pm2Process,
  stateOf,
  toPm2Configuration,
  toServices,
} from './pm2-process.js'

const firstPollMs = 20
const longestPollMs = 250
/** PM2's own, for processes that were started without one. */
const defaultMinUptimeMs = 1000

/**
 * Runs services under a PM2 daemon, and sees those that were started there by other means.
 *
 * PM2 decides on restarts; it has no limit of CPU, no health check over IPC, and restarts nothing because of a
 * health check: that is done at a start and when `health` is called.
 *
 * @example
 * ```ts
 * const manager = new ProcessManager({ engine: new Pm2Engine() })
 * ```
 */
export class Pm2Engine implements ProcessEngine {
  /** The engine's name. */
  readonly kind = 'pm2'
  /** PM2 gives no warnings. */
  readonly warnings: readonly string[] = []
  readonly #options: ResolvedPm2EngineOptions
  readonly #pool: ConnectionPool
  /** PM2 carries out commands for one process as they come, all at once. */
  readonly #lock: CommandLock

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: Pm2EngineOptions = {}) {
    this.#options = parseOptions(pm2EngineSchema, options, 'Pm2Engine')
    const { startTimeoutMs: _, queueTimeoutMs, ...connection } = this.#options
    this.#pool = new ConnectionPool(connection)
    this.#lock = new CommandLock({
      directory: join(connection.home, 'nexus-locks'),
      timeoutMs: queueTimeoutMs,
    })
  }

  /** See {@link ProcessEngine.start}. */
  async start(definition: ServiceDefinition): Promise<ServiceStatus> {
    const service = withDefaults(definition)
    const { name, script, port } = service
    if (definition.watch !== undefined || definition.cronRestart !== undefined) {
      throw notSupported(name, definition.watch === undefined ? 'cronRestart' : 'watch')
    }
    const configuration = toPm2Configuration(service, this.#options.home)
    if (!existsSync(script)) {
      throw new ProcessManagerError(
        'SCRIPT_NOT_FOUND',
        `Service "${name}": expected a script at ${script}, found none`,
        { details: { name, script } },
      )
    }
    return this.#inTurn(name, async () => {
      const running = await this.#replaceStopped(name)
      if (running) {
        const same = running.pm2_env.nexus_service?.definition === fingerprintOf(service)
        if (same) return this.#accepting(name, acceptanceOf(service))
        throw new ProcessManagerError(
          'ALREADY_RUNNING',
          `Service "${name}" runs already, by another definition; stop it first`,
          { details: { name } },
        )
      }
      if (port !== null && (await accepts(port))) {
        throw new ProcessManagerError(
          'PORT_TAKEN',
          `Service "${name}": expected port ${port} to be free, but something listens on it; stop that, or choose another port`,
          { details: { name, port } },
        )
      }
      await this.#prepare(configuration)
      return this.#accepting(name, acceptanceOf(service))
    })
  }

  /** See {@link ProcessEngine.stop}. */
  async stop(name: string): Promise<ServiceStatus> {
    return this.#inTurn(name, async () => {
      await this.#endEach('stopProcessId', await this.#find(name))
      return this.#status(name)
    })
  }

  /** See {@link ProcessEngine.restart}. */
  async restart(name: string): Promise<ServiceStatus> {
    return this.#inTurn(name, async () => {
      const processes = await this.#find(name)
      await Promise.all(processes.map((process) => this.#restart(process)))
      const { nexus_service, min_uptime = defaultMinUptimeMs } = processes[0]!.pm2_env
      return this.#accepting(name, { check: checkOf(nexus_service), minUptimeMs: min_uptime })
    })
  }

  /** PM2 can replace a process under its port in its cluster mode only, which this package does not use. */
  async reload(name: string): Promise<ServiceStatus> {
    throw notSupported(name, 'reload')
  }

  /** A service keeps the instances that it was started with. */
  async scale(name: string): Promise<ServiceStatus> {
    throw notSupported(name, 'scale')
  }

  /** See {@link ProcessEngine.delete}. */
  async delete(name: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const processes = await this.#find(name)
      await this.#endEach('deleteProcessId', processes)
      for (const { path } of processes.flatMap(logFilesOf)) rmSync(path, { force: true })
    })
  }

  /** See {@link ProcessEngine.list}. */
  async list(): Promise<ServiceStatus[]> {
    return toServices(await this.#processes())
  }

  /** See {@link ProcessEngine.health}. */
  async health(name: string, timeoutMs: number): Promise<HealthReport> {
    const began = performance.now()
    const processes = await this.#find(name)
    const [{ state, instances } = { state: 'stopped', instances: [] }] = toServices(processes)
    const check = checkOf(processes[0]!.pm2_env.nexus_service)
    const reason =
      state !== 'online'
        ? (instances.find((instance) => instance.reason)?.reason ?? `it is ${state}`)
        : check && (await checkHealth(check, timeoutMs, null))
    return { name, healthy: !reason, durationMs: performance.now() - began, reason }
  }

  /** See {@link ProcessEngine.logs}. */
  async *logs(name: string, query: LogQuery): AsyncGenerator<ServiceLogLine> {
    const processes = (await this.#find(name)).toSorted((a, b) => a.pm_id - b.pm_id)
    const sources = processes.flatMap((process, instance) =>
      logFilesOf(process).map((file) => ({ ...file, instance })),
    )
    yield* pm2Log(name, sources, query)
  }

  /** Writes the file that `pm2 save` does, for `pm2 resurrect` too. */
  async save(): Promise<number> {
    const processes = await this.#processes()
    const dump = processes.map(({ pm2_env: { pm_id, instances, ...saved } }) => saved)
    writeAtomically(this.#dumpFile, JSON.stringify(dump), { sync: true })
    return new Set(processes.map(({ name }) => name)).size
  }

  /** See {@link ProcessEngine.resurrect}. */
  async resurrect(): Promise<string[]> {
    const saved = this.#readDump()
    const running = new Set(
      (await this.#processes()).filter(({ pm2_env }) => !hasEnded(pm2_env)).map(({ name }) => name),
    )
    const names = [...new Set(saved.map(({ name }) => name))].filter((name) => !running.has(name))
    await Promise.all(
      names.map((name) =>
        this.#inTurn(name, async () => {
          if (await this.#replaceStopped(name)) return
          for (const environment of saved.filter((one) => one.name === name)) {
            await this.#prepare(environment)
          }
        }),
      ),
    )
    return names
  }

  /** What the connection to PM2 did. */
  getStats(): ConnectionPoolStats {
    return this.#pool.getStats()
  }

  /** See {@link ProcessEngine.close}. */
  close(): Promise<void> {
    return this.#pool.close()
  }

  get #dumpFile(): string {
    return join(this.#options.home, 'dump.pm2')
  }

  #readDump(): (Pm2Environment & { name: string })[] {
    try {
      return JSON.parse(readRegularFile(this.#dumpFile))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw new ProcessManagerError(
        'STATE_UNREADABLE',
        `${this.#dumpFile}: expected what "save" wrote, got ${(cause as Error).message}; save again`,
        { details: { path: this.#dumpFile }, cause },
      )
    }
  }

  #call(
    method: string,
    argument: unknown,
    options: { timeoutMs?: number; readOnly?: boolean } = {},
  ): Promise<unknown> {
    return this.#pool.call(method, [argument], options)
  }

  #inTurn<T>(name: string, command: () => Promise<T>): Promise<T> {
    return this.#lock.withLock(`service ${name}`, command)
  }

  async #restart({ pm_id, pm2_env }: Pm2Process): Promise<void> {
    const timeoutMs = this.#options.startTimeoutMs + killMs(pm2_env)
    await this.#call('restartProcessId', { id: pm_id }, { timeoutMs })
  }

  /** Has PM2 start what the configuration says, one instance after the other. */
  async #prepare(configuration: object): Promise<void> {
    const { startTimeoutMs, callTimeoutMs } = this.#options
    await this.#call('prepare', configuration, { timeoutMs: startTimeoutMs + callTimeoutMs })
  }

  /** Without PM2's own modules, which are no services. */
  async #processes(): Promise<Pm2Process[]> {
    const listed = await this.#call('getMonitorData', {}, { readOnly: true })
    return (listed as Pm2Process[]).filter(({ pm2_env }) => !pm2_env.pmx_module)
  }

  /** The processes of a service, at least one. */
  async #find(name: string): Promise<Pm2Process[]> {
    const processes = (await this.#processes()).filter((process) => process.name === name)
    if (processes.length > 0) return processes
    throw new ProcessManagerError(
      'NOT_FOUND',
      `Service "${name}": PM2 in ${this.#options.home} has none of that name`,
      { details: { name } },
    )
  }

  async #status(name: string): Promise<ServiceStatus> {
    return toServices(await this.#find(name))[0]!
  }

  /** Removes what is left of a service that ended; answers one of its processes where it runs. */
  async #replaceStopped(name: string): Promise<Pm2Process | undefined> {
    const processes = (await this.#processes()).filter((process) => process.name === name)
    const running = processes.find(({ pm2_env }) => !hasEnded(pm2_env))
    if (!running) await this.#endEach('deleteProcessId', processes)
    return running
  }

  async #endEach(
    method: 'stopProcessId' | 'deleteProcessId',
    processes: readonly Pm2Process[],
  ): Promise<void> {
    await Promise.all(
      processes.map(({ pm_id, pm2_env }) =>
        this.#call(method, pm_id, {
          timeoutMs: this.#options.callTimeoutMs + killMs(pm2_env),
        }),
      ),
    )
  }

  /** Resolves once every instance of a started service accepts work. */
  async #accepting(name: string, { check, minUptimeMs }: Acceptance): Promise<ServiceStatus> {
    const { startTimeoutMs } = this.#options
    const deadline = performance.now() + startTimeoutMs
    for (let delayMs = firstPollMs; ; delayMs = Math.min(2 * delayMs, longestPollMs)) {
      const status = await this.#status(name)
      if (status.state === 'errored') throw await this.#startFailure(status, 'START_FAILED')
      const remainingMs = deadline - performance.now()
      if (status.state === 'online') {
        const reason = check
          ? await checkHealth(check, Math.max(1, Math.min(remainingMs, 2000)), null)
          : settlingReason(status, minUptimeMs)
        if (!reason) return status
      }
      if (remainingMs <= 0) throw await this.#startFailure(status, 'START_TIMEOUT')
      await sleep(Math.min(delayMs, remainingMs))
    }
  }

  async #startFailure(
    { name, state, instances }: ServiceStatus,
    code: 'START_FAILED' | 'START_TIMEOUT',
  ): Promise<ProcessManagerError> {
    const said: string[] = []
    for await (const { stream, text } of this.logs(name, { lines: 50 })) {
      if (stream === 'stderr' && text.trim() !== '') said.push(text)
    }
    const reason = instances.find((instance) => instance.reason)?.reason ?? `it is ${state}`
    const late = code === 'START_TIMEOUT' ? ` within ${this.#options.startTimeoutMs} ms` : ''
    const last = said.find((line) => /^\w*Error\b/.test(line)) ?? said.at(-1)
    return new ProcessManagerError(
      code,
      `Service "${name}": expected it to accept work${late}, but ${reason}${last ? `; it said: ${last}` : ''}`,
      { details: { name, state, reason, stderr: said } },
    )
  }
}

function notSupported(name: string, command: string): ProcessManagerError {
  return new ProcessManagerError(
    'NOT_SUPPORTED',
    `Service "${name}": expected what this package does under PM2, got "${command}"; restart it, or run it under the native engine`,
    { details: { name, command } },
  )
}

/** How it shows that a service accepts work. */
interface Acceptance {
  check: HealthCheck | null
  /** How long a process without a check has to live, since PM2 itself calls every process online at once. */
  minUptimeMs: number
}

function acceptanceOf({ port, health, lazyInit, restart }: ResolvedDefinition): Acceptance {
  return {
    check: checkOf({ port, health: lazyInit ? null : health }),
    minUptimeMs: lazyInit ? 0 : restart.minUptimeMs,
  }
}

function checkOf(
  service: { port: number | null; health: HealthCheck | null } | undefined,
): HealthCheck | null {
  if (service?.health) return service.health
  return service?.port ? { port: service.port } : null
}

function settlingReason({ instances }: ServiceStatus, minUptimeMs: number): string | null {
  const settled = instances.every(
    ({ startedAt }) => startedAt !== null && Date.now() - startedAt >= minUptimeMs,
  )
  return settled ? null : 'it has only just begun'
}

async function accepts(port: number): Promise<boolean> {
  return (await checkHealth({ port }, 1000, null)) === null
}

function hasEnded(environment: Pm2Environment): boolean {
  return ['stopped', 'errored'].includes(stateOf(environment))
}

/** What ending a process may take: PM2 waits that long after its polite signal, and again after the kill. */
function killMs({ kill_timeout }: Pm2Environment): number {
  return 2 * (typeof kill_timeout === 'number' ? kill_timeout : 1600)
}
