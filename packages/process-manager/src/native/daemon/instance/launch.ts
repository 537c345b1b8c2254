import type { ChildProcess } from 'node:child_process'
import type { ResolvedDefinition } from '../../../service/service-defaults.js'
import type { HostMessage, RunRequest } from '../../../warm-pool/host-messages.js'
import type { PooledProcess } from '../../../warm-pool/warm-pool.js'
import type { CpuLimiter } from '../../cpu-limit/cpu-limit.js'
import type { CollectedOutput, OutputCollector } from '../output/output-collector.js'
import type { ServiceLog } from '../output/service-log.js'
import { ForkedProcess } from './service-process.js'
import type { SharedPorts } from './shared-ports.js'

/** What an instance needs of the service and the daemon it belongs to. */
export interface InstanceContext {
  definition: ResolvedDefinition
  acquire(request: RunRequest): PooledProcess
  log: ServiceLog
  outputs: OutputCollector
  cpu: CpuLimiter
  /** Null where the instance binds its port itself. */
  readonly ports: SharedPorts | null
  /** The state changed, or a process was forked: called before the process begins to load its script. */
  changed(): void
}

/** What a process says to its daemon: what the host does, `ready` as PM2 has it, and whatever the script sends. */
export type Said = HostMessage | { type: 'ready' }

/** A process that is about to load the script of a service. */
export interface Launched {
  process: ForkedProcess
  /** Null where what it prints is lost. */
  output: CollectedOutput | null
  run(): void
}

/** Forks an instance, or takes a process that waits; what it prints goes to the log. Null when the system could not. */
export function launch(
  context: InstanceContext,
  index: number,
  heard: (process: ForkedProcess, said: Said, handle: unknown) => void,
): Launched | null {
  const pooled = acquire(context, index)
  if (pooled === null) return null
  const { child } = pooled
  const process = new ForkedProcess(child)
  child.on('message', (message, handle) => {
    const said = typeof message === 'string' ? { type: message } : message
    if (said !== null) heard(process, said as Said, handle)
  })
  context.log.forgetErrors(index)
  const output =
    pooled.output === null ? null : context.outputs.collect(pooled.output, context.log, index)
  return { process, output, run: () => pooled.run() }
}

function acquire(context: InstanceContext, index: number) {
  try {
    const pooled = context.acquire(requestOf(context, index))
    if (isForked(pooled)) return pooled
    pooled.child.once('error', () => {})
  } catch {
    // As above: what the system ran out of decides how it tells.
  }
  return null
}

function isForked(
  pooled: PooledProcess,
): pooled is PooledProcess & { child: ChildProcess & { pid: number } } {
  return pooled.child.pid !== undefined
}

function requestOf({ definition, ports }: InstanceContext, index: number): RunRequest {
  const { name, script, args, cwd, env, port, instances } = definition
  return {
    script,
    args,
    cwd,
    env: {
      NEXUS_SERVICE: name,
      NEXUS_INSTANCE: String(index),
      ...(port === null ? {} : { PORT: String(port) }),
      ...env,
    },
    title: instances === 1 ? `nexus: ${name}` : `nexus: ${name} ${index}`,
    port,
    sharesPort: ports !== null,
  }
}
