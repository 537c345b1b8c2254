import { mkdirSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { ProcessManagerError } from '../../errors.js'
import type { HealthReport } from '../../process-engine.js'
import { parseDefinition } from '../../service/definition-schema.js'
import type { ServiceDefinition, ServiceStatus } from '../../service/service.js'
import { type ResolvedDefinition, withDefaults } from '../../service/service-defaults.js'
import type { WarmPool } from '../../warm-pool/warm-pool.js'
import { CpuLimiter } from '../cpu-limit/cpu-limit.js'
import { logFile, type NativePaths } from '../paths.js'
import { CommandQueue } from './commands/command-queue.js'
import type { DaemonHome } from './daemon-home.js'
import { measureAll } from './instance/process-usage.js'
import { ManagedService } from './managed-service.js'
import { OutputCollector } from './output/output-collector.js'
import { type LogLimits, ServiceLog } from './output/service-log.js'
import { findUnknown } from './state/process-note.js'
import { asGiven, readState, type ServiceRecord, writeState } from './state/state-file.js'
import { takeIn } from './state/take-in.js'
import type { Warnings } from './state/warnings.js'

/** How long a stop waits for commands that came before it. */
const STOP_PATIENCE_MS = 2_000

/** What a state that was lost, or could not be written, keeps the daemon from. */
const FIND_IN_STATE = 'find in its state all that runs'

/** How long a restart that no command asked for keeps commands behind it waiting. */
const TRIGGERED_START_MS = 30_000

/** Knows every service, and runs the commands for them. */
export class Supervisor {
  readonly #services = new Map<string, ManagedService>()
  readonly #queue = new CommandQueue()
  readonly #cpu = new CpuLimiter()
  readonly #outputs: OutputCollector
  /** Until it knows what the daemon before knew, it writes nothing down. */
  #restored = false
  /** Whether what lies in the place of the state could neither be read nor put aside. */
  #stateIsForeign = false

  constructor(
    private readonly paths: NativePaths,
    private readonly home: DaemonHome,
    private readonly logLimits: LogLimits,
    private readonly pool: WarmPool,
    private readonly warnings: Warnings,
    /** What readers see has changed. */
    private readonly changed: () => void,
  ) {
    this.#outputs = new OutputCollector(paths.output, warnings)
  }

  async start(
    definition: ServiceDefinition,
    timeoutMs: number,
    gone: AbortSignal,
  ): Promise<ServiceStatus> {
    const resolved = withDefaults(definition)
    return await this.#queue.run(resolved.name, async (hurry) => {
      const limit = waitLimit(resolved.name, timeoutMs, gone, hurry)
      const known = this.#services.get(resolved.name)
      if (known !== undefined && known.processes > 0) {
        if (isDeepStrictEqual(known.definition, resolved)) {
          await known.up(limit)
          return known.status()
        }
        throw new ProcessManagerError(
          'ALREADY_RUNNING',
          `Service "${resolved.name}" runs already, defined otherwise. Stop it first, or restart it as it is.`,
          { details: { name: resolved.name } },
        )
      }
      // It may be waiting for its next try.
      await known?.stop()
      const service = this.#add(resolved)
      await service.start(limit)
      return service.status()
    })
  }

  async stop(name: string): Promise<ServiceStatus> {
    this.#hurry(name)
    return await this.#queue.run(name, async () => {
      const service = this.#find(name)
      await service.stop()
      return service.status()
    })
  }

  async restart(name: string, timeoutMs: number, gone: AbortSignal): Promise<ServiceStatus> {
    return await this.#queue.run(name, async (hurry) => {
      const service = this.#findStartable(name)
      await service.restart(waitLimit(name, timeoutMs, gone, hurry))
      return service.status()
    })
  }

  /** Replaces its processes without refusing a connection. */
  async reload(name: string, timeoutMs: number, gone: AbortSignal): Promise<ServiceStatus> {
    return await this.#queue.run(name, async (hurry) => {
      const service = this.#findStartable(name)
      await service.reload(waitLimit(name, timeoutMs, gone, hurry))
      return service.status()
    })
  }

  async scale(
    name: string,
    instances: number,
    timeoutMs: number,
    gone: AbortSignal,
  ): Promise<ServiceStatus> {
    return await this.#queue.run(name, async (hurry) => {
      const service = this.#findStartable(name)
      await service.scale(instances, waitLimit(name, timeoutMs, gone, hurry))
      return service.status()
    })
  }

  async delete(name: string): Promise<void> {
    this.#hurry(name)
    await this.#queue.run(name, async () => {
      const service = this.#find(name)
      await service.stop()
      this.#services.delete(name)
      this.warnings.attempt('remove logs', () => service.context.log.delete())
      this.#persist()
    })
  }

  list(): ServiceStatus[] {
    return [...this.#services.values()].map((service) => service.status())
  }

  async health(name: string, timeoutMs: number): Promise<HealthReport> {
    return await this.#find(name).health(timeoutMs)
  }

  /** Unlike the state, this must have reached the disk: users rely on it. */
  save(): number {
    const running = this.#records().filter(
      ({ wanted, definitionLost }) => wanted && !definitionLost,
    )
    writeState(this.paths.saved, running, { sync: true })
    return running.length
  }

  async resurrect(timeoutMs: number, gone: AbortSignal): Promise<string[]> {
    const down = readState(this.paths.saved).services.filter(
      ({ definition }) => !this.#services.get(definition.name)?.active,
    )
    // One that fails does not keep the others down; its state says why.
    await Promise.allSettled(
      down.map(({ definition }) =>
        this.start(parseDefinition(asGiven(definition)), timeoutMs, gone),
      ),
    )
    return down.map(({ definition }) => definition.name)
  }

  /** Goes on where the daemon before ended: takes over what it left running, and starts again what ended since. */
  restore(): void {
    const state = this.#readState()
    const found = findUnknown(this.paths.output, new Set(outputsOf(state.services)))
    const services = takeIn(state.services, found)
    const lost = services.filter(({ definitionLost }) => definitionLost)
    if (found.length > 0 && lost.length > 0) this.warnings.warn(FIND_IN_STATE, goOnUndefined(lost))
    // All of them are known, with every process that is left, before the first is touched: this daemon may die as well.
    const restored = services.map((record) => {
      const service = this.#add(record.definition)
      service.wanted = record.wanted && !state.rebooted
      service.definitionLost = record.definitionLost
      service.adopt(record.instances, record.passing)
      return service
    })
    this.#restored = true
    this.#persist()
    this.#outputs.removeAllBut(new Set(outputsOf(this.#records())))
    for (const service of restored) {
      const { name } = service.definition
      if (!service.wanted && service.processes > 0) void this.stop(name)
      if (service.wanted && !service.definitionLost)
        void this.#queue.run(name, () => service.goOn())
    }
  }

  /** Reads what every process uses; a process above its memory limit is replaced. */
  async measure(): Promise<void> {
    const running = [...this.#services.values()]
      .flatMap(({ instances }) => instances)
      .flatMap((instance) => (instance.pid === null ? [] : [{ instance, pid: instance.pid }]))
    const usages = await measureAll(running.map(({ pid }) => pid))
    const now = performance.now()
    for (const { instance, pid } of running) {
      const usage = usages.get(pid)
      if (usage !== undefined && instance.pid === pid) instance.measured(usage, now)
    }
  }

  get services(): number {
    return this.#services.size
  }

  /** Processes of services that run. */
  get processes(): number {
    return [...this.#services.values()].reduce((sum, { processes }) => sum + processes, 0)
  }

  /** Whether anything runs, or will run again. */
  get active(): boolean {
    return [...this.#services.values()].some((service) => service.active)
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#services.keys()].map((name) => this.stop(name)))
  }

  #add(definition: ResolvedDefinition): ManagedService {
    const log = new ServiceLog(logFile(this.paths, definition.name), this.logLimits, this.warnings)
    const service = new ManagedService(definition, {
      log,
      outputs: this.#outputs,
      cpu: this.#cpu,
      acquire: (request) => this.pool.acquire(request),
      // No caller waits for this: what fails is in the state.
      restart: () => {
        const { name } = definition
        void this.restart(name, TRIGGERED_START_MS, new AbortController().signal).catch(() => {})
      },
      changed: () => {
        this.#persist()
        this.changed()
      },
    })
    this.warnings.attempt('make the log directory', () =>
      mkdirSync(this.paths.logs, { recursive: true, mode: 0o700 }),
    )
    this.#services.set(definition.name, service)
    return service
  }

  #find(name: string): ManagedService {
    const service = this.#services.get(name)
    if (service !== undefined) return service
    throw new ProcessManagerError('NOT_FOUND', `There is no service "${name}". See list().`, {
      details: { name },
    })
  }

  #findStartable(name: string): ManagedService {
    const service = this.#find(name)
    if (service.definitionLost) throw definitionLost(name)
    return service
  }

  #hurry(name: string) {
    this.#queue.hurry(
      name,
      STOP_PATIENCE_MS,
      new ProcessManagerError('STOPPED', `Service "${name}" was to be stopped before it was up.`),
    )
  }

  /** Where the state cannot be read, nothing of it is known; what still runs is found by other means, and goes on. */
  #readState(): ReturnType<typeof readState> {
    try {
      return readState(this.paths.state)
    } catch (error) {
      this.warnings.warn('read its state', error)
      this.#stateIsForeign = (error as ProcessManagerError).details.inPlace === true
      return { services: [], rebooted: false }
    }
  }

  #records(): ServiceRecord[] {
    return [...this.#services.values()].map((service) => ({
      definition: service.definition,
      wanted: service.wanted,
      definitionLost: service.definitionLost,
      instances: service.instances.map((instance) => instance.record()),
      passing: service.passing.flatMap((record) => record ?? []),
    }))
  }

  #persist() {
    if (!this.#restored) return
    if (![...this.#services.values()].some((service) => service.definitionLost)) {
      this.warnings.clear(FIND_IN_STATE)
    }
    // What could not be read is not written over.
    if (!this.home.isOurs || this.#stateIsForeign) return
    this.warnings.attempt('write its state', () => writeState(this.paths.state, this.#records()))
  }
}

/** The directories that processes print into. */
function outputsOf(services: readonly ServiceRecord[]): string[] {
  return services.flatMap(({ instances, passing }) =>
    [...instances, ...passing].flatMap((record) => record?.output ?? []),
  )
}

function goOnUndefined(services: readonly ServiceRecord[]): string {
  const names = services.map(({ definition }) => definition.name).join(', ')
  return `Without their arguments, environments and rules, these go on: ${names}. Stop each, and start it with its definition.`
}

function definitionLost(name: string) {
  return new ProcessManagerError(
    'STATE_UNREADABLE',
    `How service "${name}" was started is not known any more: the daemon's state could not be read. Stop it, and start it with its definition.`,
    { details: { name } },
  )
}

/** How long a command waits for a service: until it is too late, its client is gone, or a stop is due. */
function waitLimit(name: string, timeoutMs: number, ...others: AbortSignal[]): AbortSignal {
  const late = new AbortController()
  setTimeout(() => {
    late.abort(
      new ProcessManagerError(
        'START_TIMEOUT',
        `Service "${name}" did not come up within ${timeoutMs} ms, and is still starting. Look at its log; give it more time; check that it listens on its port or, without one, comes back to its event loop after loading; or set lazyInit.`,
        { details: { name, timeoutMs } },
      ),
    )
  }, timeoutMs).unref()
  return AbortSignal.any([late.signal, ...others])
}
