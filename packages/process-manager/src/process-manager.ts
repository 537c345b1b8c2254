import { describeThrown, type Logger } from '@nexus/diagnostics'
import { EventEmitter } from 'eventemitter3'
import { ProcessManagerError } from './errors.js'
import { MetricsCache, type MetricsCacheStats } from './metrics-cache/metrics-cache.js'
import { NativeEngine } from './native/client/native-engine.js'
import { type ProcessManagerOptions, processManagerSchema } from './options.js'
import { parseOptions } from './parse-options.js'
import type { HealthReport, LogQuery, ProcessEngine, ServiceLogLine } from './process-engine.js'
import { parseDefinition, parseName } from './service/definition-schema.js'
import type { ServiceDefinition, ServiceStatus } from './service/service.js'
import { metricsOf, type ServiceMetrics } from './service/service-metrics.js'

/** What a {@link ProcessManager} tells of the commands that it was given. */
export interface ProcessManagerEvents {
  /** A service was started. */
  started: [status: ServiceStatus]
  /** A service was stopped. */
  stopped: [status: ServiceStatus]
  /** A service was restarted. */
  restarted: [status: ServiceStatus]
  /** A service was reloaded. */
  reloaded: [status: ServiceStatus]
  /** A service has another number of instances. */
  scaled: [status: ServiceStatus]
  /** A service was deleted. */
  deleted: [name: string]
  /** A command was carried out, but something was not: the daemon could not write down its state, for one. */
  warning: [text: string]
  /** A command failed. */
  failed: [failure: { command: ServiceCommand; name: string; error: ProcessManagerError }]
}

/** A command that changes a service. */
export type ServiceCommand = 'start' | 'stop' | 'restart' | 'reload' | 'scale' | 'delete'

/** What a {@link ProcessManager} did so far. */
export interface ProcessManagerStats {
  /** The engine in use. */
  engine: ProcessEngine['kind']
  /** Commands that ended well, by kind. */
  commands: Readonly<Record<ServiceCommand, number>>
  /** Commands that failed. */
  failures: number
  /** Commands that run or wait for their turn. */
  pending: number
  /** Of the cache of figures and states. */
  cache: MetricsCacheStats
}

/**
 * Starts, stops and watches services. Commands for one service run in the order they were given, by whichever
 * process, and those for different ones at the same time: the engines see to that.
 *
 * @example
 * ```ts
 * const manager = new ProcessManager()
 * await manager.start({ name: 'web', script: resolve('web.js'), port: 3000, instances: 2 })
 * console.log(await manager.status('web'))
 * await manager.close() // the service keeps running
 * ```
 */
export class ProcessManager extends EventEmitter<ProcessManagerEvents> {
  readonly #engine: ProcessEngine
  readonly #healthTimeoutMs: number
  readonly #cache: MetricsCache
  readonly #logger: Logger
  readonly #commands = { start: 0, stop: 0, restart: 0, reload: 0, scale: 0, delete: 0 }
  #failures = 0
  #pending = 0
  #closed = false

  /** @throws ProcessManagerError `INVALID_OPTIONS` */
  constructor(options: ProcessManagerOptions = {}) {
    super()
    const { engine, cache, healthTimeoutMs, logger } = parseOptions(
      processManagerSchema,
      options,
      'ProcessManager',
    )
    this.#engine = engine ?? new NativeEngine()
    this.#cache = cache ?? new MetricsCache()
    this.#healthTimeoutMs = healthTimeoutMs
    this.#logger = logger
  }

  /**
   * Resolves once every instance accepts work; with a health check, once it passes. A service that runs already as it is
   * defined here is left alone.
   *
   * @throws ProcessManagerError `INVALID_DEFINITION`, `SCRIPT_NOT_FOUND`, `PORT_TAKEN`, `START_FAILED`, `START_TIMEOUT`,
   *   `ALREADY_RUNNING`, `STOPPED`, or what keeps the engine from answering
   */
  async start(definition: ServiceDefinition): Promise<ServiceStatus> {
    const checked = parseDefinition(definition)
    const status = await this.#command('start', checked.name, () => this.#engine.start(checked))
    this.emit('started', status)
    return status
  }

  /**
   * Stops every instance; resolves once all have ended.
   *
   * @throws ProcessManagerError `NOT_FOUND`, or what keeps the engine from answering
   */
  async stop(name: string): Promise<ServiceStatus> {
    const status = await this.#command('stop', name, () => this.#engine.stop(name))
    this.emit('stopped', status)
    return status
  }

  /** Starts it when it is stopped. Several instances restart one after the other, so that the service goes on. */
  async restart(name: string): Promise<ServiceStatus> {
    const status = await this.#command('restart', name, () => this.#engine.restart(name))
    this.emit('restarted', status)
    return status
  }

  /**
   * Restarts it so that no connection to its port is refused: each instance goes on until the process that takes its place
   * accepts work, and ends once its connections have. Without a port, as {@link restart}.
   *
   * @throws ProcessManagerError `NOT_SUPPORTED` where its process does not listen itself; `START_FAILED` where the new one
   *   does not come up, and the old one goes on then
   */
  async reload(name: string): Promise<ServiceStatus> {
    const status = await this.#command('reload', name, () => this.#engine.reload(name))
    this.emit('reloaded', status)
    return status
  }

  /** Changes how many instances there are; those that stay go on. */
  async scale(name: string, instances: number): Promise<ServiceStatus> {
    const status = await this.#command('scale', name, () => this.#engine.scale(name, instances))
    this.emit('scaled', status)
    return status
  }

  /** Stops it and forgets it, its log files too. */
  async delete(name: string): Promise<void> {
    await this.#command('delete', name, () => this.#engine.delete(name))
    this.emit('deleted', name)
  }

  /** Every service, as the cache or the engine knows it. */
  async list(): Promise<ServiceStatus[]> {
    this.#requireOpen()
    return await this.#cache.get('status', '*', () => this.#engine.list())
  }

  /**
   * A service as the cache or the engine knows it.
   *
   * @throws ProcessManagerError `NOT_FOUND`
   */
  async status(name: string): Promise<ServiceStatus> {
    return findByName(await this.list(), parseName(name))
  }

  /**
   * What a service uses, all its instances together.
   *
   * @throws ProcessManagerError `NOT_FOUND`
   */
  async metrics(name: string): Promise<ServiceMetrics> {
    this.#requireOpen()
    const services = await this.#cache.get('metrics', '*', () => this.#engine.list())
    return metricsOf(findByName(services, parseName(name)))
  }

  /** Checks it now: by its health check, else by its port, else by its state. */
  async health(name: string, timeoutMs = this.#healthTimeoutMs): Promise<HealthReport> {
    this.#requireOpen()
    return await this.#engine.health(parseName(name), timeoutMs)
  }

  /** The lines of a service's log, oldest first; with `follow` also those that come. */
  logs(name: string, query: LogQuery = {}): AsyncIterable<ServiceLogLine> {
    this.#requireOpen()
    return this.#engine.logs(parseName(name), query)
  }

  /** Writes down what runs now, for {@link resurrect}; answers how many services that are. */
  async save(): Promise<number> {
    this.#requireOpen()
    return await this.#engine.save()
  }

  /** Starts what was saved and does not run; answers their names. */
  async resurrect(): Promise<string[]> {
    this.#requireOpen()
    return await this.#engine.resurrect().finally(() => this.#cache.invalidate('*'))
  }

  /** Counts of commands since the start. */
  getStats(): ProcessManagerStats {
    return {
      engine: this.#engine.kind,
      commands: { ...this.#commands },
      failures: this.#failures,
      pending: this.#pending,
      cache: this.#cache.getStats(),
    }
  }

  /** Closes the engine; services keep running. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#engine.close(), this.#cache.close()])
    this.removeAllListeners()
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #command<T>(command: ServiceCommand, name: string, run: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    parseName(name)
    this.#pending++
    try {
      const result = await run()
      this.#commands[command]++
      this.#logger.info({ command, service: name }, 'a command for a service was done')
      for (const text of this.#engine.warnings) {
        this.#logger.warn({ reason: text }, 'the engine of the services warns')
        this.emit('warning', text)
      }
      return result
    } catch (error) {
      this.#failures++
      const { code, message: reason } = describeThrown(error)
      this.#logger.error({ command, service: name, code, reason }, 'a command for a service failed')
      // Not by its class: an engine of another entry point of this package has a class of its own.
      if (isOwnError(error)) this.emit('failed', { command, name, error })
      throw error
    } finally {
      this.#pending--
      this.#cache.invalidate(name)
    }
  }

  #requireOpen() {
    if (this.#closed) throw new ProcessManagerError('CLOSED', 'This process manager was closed.')
  }
}

function isOwnError(error: unknown): error is ProcessManagerError {
  return describeThrown(error).name === 'ProcessManagerError'
}

function findByName(services: readonly ServiceStatus[], name: string): ServiceStatus {
  const found = services.find((service) => service.name === name)
  if (found !== undefined) return found
  throw new ProcessManagerError('NOT_FOUND', `There is no service "${name}". See list().`, {
    details: { name },
  })
}
