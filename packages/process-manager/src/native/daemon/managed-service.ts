import type { HealthReport } from '../../process-engine.js'
import type { ServiceState, ServiceStatus } from '../../service/service.js'
import type { ResolvedDefinition } from '../../service/service-defaults.js'
import { Instance } from './instance/instance.js'
import type { InstanceContext } from './instance/launch.js'
import { SharedPorts } from './instance/shared-ports.js'
import { RestartTriggers } from './restart-triggers.js'
import type { InstanceRecord } from './state/instance-record.js'

/** The worst first. */
const BY_BADNESS: readonly ServiceState[] = [
  'errored',
  'waiting',
  'unhealthy',
  'starting',
  'initialising',
  'stopping',
  'stopped',
  'online',
]

/** What a service needs of the daemon. */
export interface ServiceContext extends Omit<InstanceContext, 'definition' | 'ports'> {
  /** A change of its files, or the time, asks for a restart. */
  restart(): void
}

/** A service and its instances. One command runs at a time: the supervisor sees to that. */
export class ManagedService {
  readonly #ports = new SharedPorts()
  readonly #shared: InstanceContext
  readonly #triggers: RestartTriggers
  #definition: ResolvedDefinition
  #instances: Instance[]
  /** Processes that are about to take the place of another one, or have given theirs up. */
  readonly #passing = new Set<Instance>()
  /** Whether a single instance gives its socket on to the next one. */
  #handsOver = false
  /** Whether it was last started rather than stopped. */
  wanted = false
  /** Whether only its processes are known and not how they were started. */
  definitionLost = false

  constructor(
    definition: ResolvedDefinition,
    readonly context: ServiceContext,
  ) {
    this.#definition = definition
    this.#triggers = new RestartTriggers(context.restart)
    const service = this
    this.#shared = {
      ...context,
      get definition() {
        return service.#definition
      },
      get ports() {
        return service.#sharesPort ? service.#ports : null
      },
      changed: () => {
        // While an instance may come back, clients wait for it; after that, they are to be refused.
        if (this.#instances.every(({ state }) => state === 'errored')) this.#ports.close()
        context.changed()
      },
    }
    this.#instances = Array.from(
      { length: definition.instances },
      (_, index) => new Instance(index, this.#shared),
    )
  }

  get definition(): ResolvedDefinition {
    return this.#definition
  }

  get instances(): readonly Instance[] {
    return this.#instances
  }

  /** What is written down of processes that are to end, should this daemon not come to it. */
  get passing(): (InstanceRecord | null)[] {
    return [...this.#passing].map((instance) => instance.record())
  }

  /** Whether any of it runs, or will run again. */
  get active(): boolean {
    return this.#instances.some(({ state }) => state !== 'stopped' && state !== 'errored')
  }

  /** Processes that run. */
  get processes(): number {
    return this.#instances.filter(({ pid }) => pid !== null).length
  }

  /** Rejects with the signal's reason when that comes first; the instances go on starting. */
  async start(signal: AbortSignal): Promise<void> {
    this.#want()
    await all(this.#instances.map((instance) => instance.start(signal)))
  }

  /** Resolves once what is starting accepts work; rejects as {@link start} does. */
  async up(signal: AbortSignal): Promise<void> {
    await all(this.#instances.map((instance) => instance.up(signal)))
  }

  async stop(): Promise<void> {
    this.wanted = false
    this.#triggers.disarm()
    await all(this.#instances.map((instance) => instance.stop()))
    this.#ports.close()
  }

  /** One instance after the other, so that the rest goes on working. */
  async restart(signal: AbortSignal): Promise<void> {
    this.#want()
    for (const instance of this.#instances) await instance.restart(signal)
  }

  /**
   * One instance after the other: each goes on until the process that takes its place accepts work, and ends once its
   * connections have. When that process does not come up, the old one stays. Without a port there is nothing to hand over,
   * and it is a restart.
   */
  async reload(signal: AbortSignal): Promise<void> {
    if (this.#definition.port === null || this.processes === 0) return await this.restart(signal)
    try {
      for (const { index } of this.#instances) await this.#reloadInstance(index, signal)
    } finally {
      if (this.#handsOver) this.#ports.close()
      this.#handsOver = false
    }
  }

  /** Starts instances, or ends those with the highest numbers. */
  async scale(count: number, signal: AbortSignal): Promise<void> {
    const { instances: before, port } = this.#definition
    if (count > before && before === 1 && port !== null && this.processes > 0) {
      await this.#takeSocket(this.#instances[0]!, port, signal)
    }
    this.#definition = { ...this.#definition, instances: count }
    const added = Array.from(
      { length: Math.max(0, count - before) },
      (_, n) => new Instance(before + n, this.#shared),
    )
    const removed = this.#instances.slice(count)
    this.#instances = [...this.#instances.slice(0, count), ...added]
    for (const instance of removed) this.#passing.add(instance)
    this.context.changed()
    if (this.wanted) await all(added.map((instance) => instance.start(signal)))
    await all(removed.map((instance) => this.#retire(instance)))
  }

  /** Takes over what runs and what is to be ended of what the daemon before left. */
  adopt(records: readonly (InstanceRecord | null)[], passing: readonly InstanceRecord[]): void {
    for (const instance of this.#instances) instance.takeOver(records[instance.index] ?? null)
    for (const record of passing) {
      const instance = new Instance(0, this.#shared)
      instance.takeOver(record)
      if (instance.pid === null) continue
      this.#passing.add(instance)
      void this.#retire(instance)
    }
  }

  /**
   * Brings up what is to run and does not, after processes that the daemon before left were adopted. Those that need the
   * daemon that forked them are replaced: by all at once, for the old ones hold their port.
   */
  async goOn(): Promise<void> {
    this.#want()
    const replace = this.#sharesPort || this.#definition.health?.ipc === true
    const amiss = this.#instances.filter(({ pid }) => replace || pid === null)
    await all(amiss.map((instance) => instance.stop()))
    // No caller waits for this: what fails is in the state.
    for (const instance of amiss) instance.start(AbortSignal.abort()).catch(() => {})
  }

  async health(timeoutMs: number): Promise<HealthReport> {
    const begun = performance.now()
    const reasons = await Promise.all(this.#instances.map((instance) => instance.check(timeoutMs)))
    const failing = reasons.flatMap((reason, index) =>
      reason === null ? [] : [reasons.length === 1 ? reason : `instance ${index} ${reason}`],
    )
    return {
      name: this.#definition.name,
      healthy: failing.length === 0,
      durationMs: performance.now() - begun,
      reason: failing.length === 0 ? null : failing.join('; '),
    }
  }

  status(): ServiceStatus {
    const instances = this.#instances.map((instance) => instance.status())
    const { name, script, port } = this.#definition
    return {
      name,
      script,
      port,
      state: BY_BADNESS.find((state) => instances.some((one) => one.state === state)) ?? 'stopped',
      instances,
    }
  }

  get #sharesPort(): boolean {
    const { port, instances } = this.#definition
    return port !== null && (instances > 1 || this.#handsOver)
  }

  #want() {
    this.wanted = true
    this.#triggers.arm(this.#definition)
  }

  async #reloadInstance(index: number, signal: AbortSignal) {
    const { port } = this.#definition
    const old = this.#instances[index]!
    if (old.pid === null || port === null) return await old.restart(signal)
    if (!this.#sharesPort) {
      await this.#takeSocket(old, port, signal)
      this.#handsOver = true
    }
    const fresh = new Instance(index, this.#shared, old.restarts + 1)
    this.#passing.add(fresh)
    try {
      await fresh.start(signal)
    } catch (error) {
      await this.#retire(fresh)
      throw error
    }
    this.#passing.delete(fresh)
    this.#passing.add(old)
    this.#instances[index] = fresh
    this.context.changed()
    await this.#retire(old)
  }

  async #takeSocket(instance: Instance, port: number, signal: AbortSignal) {
    const { host, socket } = await instance.shareSocket(port, signal)
    await this.#ports.adopt(host, port, socket)
  }

  async #retire(instance: Instance) {
    await instance.retire()
    this.#passing.delete(instance)
    this.context.changed()
  }
}

/** Waits for all of them, then rejects as the first that failed did. */
async function all(promises: readonly Promise<void>[]) {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason
  }
}
