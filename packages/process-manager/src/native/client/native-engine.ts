import { existsSync, statSync } from 'node:fs'
import { ProcessManagerError } from '../../errors.js'
import type { HealthReport, LogQuery, ProcessEngine, ServiceLogLine } from '../../process-engine.js'
import type { ServiceDefinition, ServiceStatus } from '../../service/service.js'
import { takePrivateHome } from '../files/private-home.js'
import { homeUnusable } from '../home-unusable.js'
import { checkNativeOptions, type NativeEngineOptions } from '../options.js'
import { defaultHome, logFile, nativePaths } from '../paths.js'
import type { DaemonStats } from '../protocol.js'
import { readFreshStatus } from '../status-file.js'
import { DaemonClient, type DaemonClientStats } from './daemon-client.js'
import { readLog } from './log-reader.js'

/** For answers that wait for nothing but the daemon. */
const QUICK_ANSWER_MS = 10_000
/** Added to what the daemon itself allows a command, so that its own answer comes first. */
const SLACK_MS = 5_000
/** A stop waits for the stop timeouts of a service, which only the daemon knows, and for commands before it. */
const STOP_ANSWER_MS = 120_000

/**
 * Runs services under a small daemon of its own, started at the first command that needs it. Commands for one service
 * queue up in the daemon, in the order they arrive there.
 *
 * @example
 * ```ts
 * const manager = new ProcessManager({ engine: new NativeEngine({ home: '/var/lib/orders' }) })
 * ```
 */
export class NativeEngine implements ProcessEngine {
  /** The engine's name. */
  readonly kind = 'native'
  readonly #paths: ReturnType<typeof nativePaths>
  readonly #client: DaemonClient
  readonly #startTimeoutMs: number

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: NativeEngineOptions = {}) {
    checkNativeOptions(options)
    const home = options.home ?? defaultHome()
    this.#paths = nativePaths(home)
    this.#startTimeoutMs = options.startTimeoutMs ?? 30_000
    this.#client = new DaemonClient(
      this.#paths,
      home,
      options.daemon ?? {},
      options.requestTimeoutMs ?? 5_000,
    )
  }

  /** See {@link ProcessEngine.warnings}. */
  get warnings(): readonly string[] {
    return this.#client.warnings
  }

  /** See {@link ProcessEngine.start}. */
  async start(definition: ServiceDefinition): Promise<ServiceStatus> {
    const timeoutMs = this.#startTimeoutMs
    return await this.#client.request('start', { definition, timeoutMs }, this.#commandMs())
  }

  /** See {@link ProcessEngine.stop}. */
  async stop(name: string): Promise<ServiceStatus> {
    return await this.#client.request('stop', { name }, STOP_ANSWER_MS)
  }

  /** See {@link ProcessEngine.restart}. */
  async restart(name: string): Promise<ServiceStatus> {
    const timeoutMs = this.#startTimeoutMs
    return await this.#client.request('restart', { name, timeoutMs }, this.#commandMs())
  }

  /** See {@link ProcessEngine.reload}. */
  async reload(name: string): Promise<ServiceStatus> {
    const timeoutMs = this.#startTimeoutMs
    return await this.#client.request('reload', { name, timeoutMs }, this.#commandMs())
  }

  /** See {@link ProcessEngine.scale}. */
  async scale(name: string, instances: number): Promise<ServiceStatus> {
    const timeoutMs = this.#startTimeoutMs
    return await this.#client.request('scale', { name, instances, timeoutMs }, this.#commandMs())
  }

  /** See {@link ProcessEngine.delete}. */
  async delete(name: string): Promise<void> {
    await this.#client.request('delete', { name }, STOP_ANSWER_MS)
  }

  /** From the status file where that is fresh, which takes microseconds; from the daemon otherwise. */
  async list(): Promise<ServiceStatus[]> {
    const status = readFreshStatus(this.#paths, Date.now())
    if (status !== null) return status.services
    // No daemon ever ran here, so there is nothing to wake one for. On a full disk it may have left no state.
    const { root, state, lock } = this.#paths
    if (!isPresent(root, state) && !isPresent(root, lock)) return []
    return await this.#client.request('list', {}, QUICK_ANSWER_MS)
  }

  /** See {@link ProcessEngine.health}. */
  async health(name: string, timeoutMs: number): Promise<HealthReport> {
    return await this.#client.request('health', { name, timeoutMs }, timeoutMs + SLACK_MS)
  }

  /** See {@link ProcessEngine.logs}. */
  async *logs(name: string, query: LogQuery): AsyncIterable<ServiceLogLine> {
    const file = logFile(this.#paths, name)
    if (existsSync(this.#paths.root)) takePrivateHome(this.#paths)
    // Where no daemon lives this starts one, which writes down what services printed since.
    const services = await this.list().catch((error: ProcessManagerError) => {
      if (existsSync(file)) return []
      throw error
    })
    if (!existsSync(file) && !services.some((service) => service.name === name)) {
      throw new ProcessManagerError('NOT_FOUND', `There is no service "${name}". See list().`, {
        details: { name },
      })
    }
    yield* readLog(file, name, query)
  }

  /** See {@link ProcessEngine.save}. */
  async save(): Promise<number> {
    return await this.#client.request('save', {}, QUICK_ANSWER_MS)
  }

  /** See {@link ProcessEngine.resurrect}. */
  async resurrect(): Promise<string[]> {
    const timeoutMs = this.#startTimeoutMs
    return await this.#client.request('resurrect', { timeoutMs }, this.#commandMs())
  }

  /** Stops every service, then the daemon. */
  async shutdown(): Promise<void> {
    await this.#client.request('shutdown', {}, STOP_ANSWER_MS)
  }

  /** What the daemon knows of itself; it is started where none runs. */
  async daemonStats(): Promise<DaemonStats> {
    return await this.#client.request('stats', {}, QUICK_ANSWER_MS)
  }

  /** What this client of the daemon did. */
  getStats(): DaemonClientStats {
    return this.#client.getStats()
  }

  /** See {@link ProcessEngine.close}. */
  async close(): Promise<void> {
    this.#client.close()
  }

  /** It may wait for a command before it, each as long as a start and a stop may take. */
  #commandMs() {
    return this.#startTimeoutMs + STOP_ANSWER_MS
  }
}

/** A directory that may not be read is not an empty one. */
function isPresent(root: string, file: string): boolean {
  try {
    statSync(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw homeUnusable(root, error)
  }
}
