import type { HealthReport } from '../../process-engine.js'
import type { ServiceState, ServiceStatus } from '../../service/service.js'
import type { ResolvedDefinition } from '../../service/service-defaults.js'
import { Instance } from './instance/instance.js'
import type { InstanceContext } from './instance/launch.js'
import { SharedPorts } from './instance/shared-ports.js'

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

/** A service and its instances. One command runs at a time: the supervisor sees to that. */
export class ManagedService {
  readonly instances: readonly Instance[]
  readonly #ports: SharedPorts | null
  /** Whether it was last started rather than stopped. */
  wanted = false

  constructor(
    readonly definition: ResolvedDefinition,
    readonly context: Omit<InstanceContext, 'definition' | 'ports'>,
  ) {
    const { instances, port } = definition
    this.#ports = instances > 1 && port !== null ? new SharedPorts() : null
    const shared: InstanceContext = {
      ...context,
      definition,
      ports: this.#ports,
      changed: () => {
        // While an instance may come back, clients wait for it; after that, they are to be refused.
        if (this.instances.every(({ state }) => state === 'errored')) this.#ports?.close()
        context.changed()
      },
    }
    this.instances = Array.from({ length: instances }, (_, index) => new Instance(index, shared))
  }

  /** Whether any of it runs, or will run again. */
  get active(): boolean {
    return this.instances.some(({ state }) => state !== 'stopped' && state !== 'errored')
  }

  /** Processes that run. */
  get processes(): number {
    return this.instances.filter(({ pid }) => pid !== null).length
  }

  /** Rejects with the signal's reason when that comes first; the instances go on starting. */
  async start(signal: AbortSignal): Promise<void> {
    this.wanted = true
    await all(this.instances.map((instance) => instance.start(signal)))
  }

  /** Resolves once what is starting accepts work; rejects as {@link start} does. */
  async up(signal: AbortSignal): Promise<void> {
    await all(this.instances.map((instance) => instance.up(signal)))
  }

  async stop(): Promise<void> {
    this.wanted = false
    await all(this.instances.map((instance) => instance.stop()))
    this.#ports?.close()
  }

  /** One instance after the other, so that the rest goes on working. */
  async restart(signal: AbortSignal): Promise<void> {
    this.wanted = true
    for (const instance of this.instances) await instance.restart(signal)
  }

  /**
   * Brings up what is to run and does not, after processes that the daemon before left were adopted. Those that need the
   * daemon that forked them are replaced: by all at once, for the old ones hold their port.
   */
  async goOn(): Promise<void> {
    const replace = this.#ports !== null || this.definition.health?.ipc === true
    const amiss = this.instances.filter(({ pid }) => replace || pid === null)
    await all(amiss.map((instance) => instance.stop()))
    // No caller waits for this: what fails is in the state.
    for (const instance of amiss) instance.start(AbortSignal.abort()).catch(() => {})
  }

  async health(timeoutMs: number): Promise<HealthReport> {
    const begun = performance.now()
    const reasons = await Promise.all(this.instances.map((instance) => instance.check(timeoutMs)))
    const failing = reasons.flatMap((reason, index) =>
      reason === null ? [] : [reasons.length === 1 ? reason : `instance ${index} ${reason}`],
    )
    return {
      name: this.definition.name,
      healthy: failing.length === 0,
      durationMs: performance.now() - begun,
      reason: failing.length === 0 ? null : failing.join('; '),
    }
  }

  status(): ServiceStatus {
    const instances = this.instances.map((instance) => instance.status())
    const { name, script, port } = this.definition
    return {
      name,
      script,
      port,
      state: BY_BADNESS.find((state) => instances.some((one) => one.state === state)) ?? 'stopped',
      instances,
    }
  }
}

/** Waits for all of them, then rejects as the first that failed did. */
async function all(promises: readonly Promise<void>[]) {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason
  }
}
