import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { ProcessManagerError } from '../errors.js'
import type {
  HealthCheck,
  InstanceStatus,
  ServiceState,
  ServiceStatus,
} from '../service/service.js'
import type { ResolvedDefinition } from '../service/service-defaults.js'

/** A process as PM2 lists it; only what is read here. */
export interface Pm2Process {
  name: string
  pm_id: number
  pid?: number
  monit?: { cpu?: number; memory?: number }
  pm2_env: Pm2Environment
}

/** What PM2 knows of a process; the environment of the process itself is mixed into it. */
export interface Pm2Environment {
  [field: string]: unknown
  status: string
  pm_exec_path: string
  pm_out_log_path?: string
  pm_err_log_path?: string
  pm_uptime?: number
  restart_time?: number
  unstable_restarts?: number
  exit_code?: number
  min_uptime?: number
  created_at?: number | null
  /** What PM2 has no field for; it keeps and lists what it does not know. */
  nexus_service?: {
    port: number | null
    health: HealthCheck | null
    /** Tells one definition from another. */
    definition: string
  }
}

const states: Record<string, ServiceState> = {
  launching: 'starting',
  online: 'online',
  'one-launch-status': 'online',
  stopping: 'stopping',
  stopped: 'stopped',
  'waiting restart': 'waiting',
  errored: 'errored',
}

/** From bad to good: a service is in the first of these that one of its instances is in. */
const worstFirst: readonly ServiceState[] = [
  'errored',
  'unhealthy',
  'waiting',
  'stopping',
  'stopped',
  'starting',
  'initialising',
  'online',
]

/** The services that PM2's processes make up, without any of their environment. */
export function toServices(processes: readonly Pm2Process[]): ServiceStatus[] {
  const byName = new Map<string, Pm2Process[]>()
  for (const process of processes) {
    byName.set(process.name, [...(byName.get(process.name) ?? []), process])
  }
  return [...byName].map(([name, ofName]) => toService(name, ofName))
}

function toService(name: string, processes: readonly Pm2Process[]): ServiceStatus {
  const instances = processes.toSorted((a, b) => a.pm_id - b.pm_id).map(toInstance)
  const { pm_exec_path: script, nexus_service: own } = processes[0]!.pm2_env
  const state = worstFirst.find((state) => instances.some((instance) => instance.state === state))
  return { name, script, port: own?.port ?? null, state: state ?? 'stopped', instances }
}

function toInstance({ pid, monit, pm2_env }: Pm2Process, index: number): InstanceStatus {
  const state = stateOf(pm2_env)
  const runs = Boolean(pid) && (state === 'online' || state === 'starting' || state === 'stopping')
  return {
    index,
    pid: runs ? pid! : null,
    state,
    startedAt: runs ? (pm2_env.pm_uptime ?? null) : null,
    restarts: pm2_env.restart_time ?? 0,
    cpuPercent: monit?.cpu ?? 0,
    memoryBytes: monit?.memory ?? 0,
    exit:
      !runs && pm2_env.exit_code !== undefined ? { code: pm2_env.exit_code, signal: null } : null,
    reason:
      state === 'errored' || state === 'waiting'
        ? `ended early, last with exit code ${pm2_env.exit_code ?? 'unknown'}`
        : null,
  }
}

/** The state of a process in the terms of this package. */
export function stateOf({ status, created_at }: Pm2Environment): ServiceState {
  // PM2 notes here that it gave a process up; with backoff it then says that it waits to restart it, and does not.
  if (status === 'waiting restart' && created_at === null) return 'errored'
  return states[status] ?? 'errored'
}

/** Fields that PM2 reads from the same object that it mixes the environment into. */
const reserved =
  /^(pm_|PM2_|axm_|km_|nexus_)|^(name|namespace|status|args|node_args|env|exec_mode|exec_interpreter|instances|instance_var|autorestart|autostart|treekill|kill_timeout|max_memory_restart|min_uptime|max_restarts|exp_backoff_restart_delay|unique_id|log_type|merge_logs|vizion|vizion_running|watch|windowsHide|uid|gid|wait_ready|restart_time|unstable_restarts|created_at|NODE_CHANNEL_FD|NODE_APP_INSTANCE)$/

/**
 * What PM2's daemon wants to know to start a service.
 *
 * @throws ProcessManagerError `NOT_SUPPORTED` for what PM2 cannot do
 */
export function toPm2Configuration(definition: ResolvedDefinition, home: string): object {
  refuseWhatPm2Lacks(definition)
  const { name, instances, restart, maxMemoryBytes, port, health } = definition
  const log = (kind: string) => join(home, 'logs', `${name}-${kind}.log`)
  return {
    name,
    namespace: 'default',
    pm_exec_path: definition.script,
    pm_cwd: definition.cwd,
    args: [...definition.args],
    node_args: [],
    exec_interpreter: process.execPath,
    exec_mode: instances > 1 ? 'cluster_mode' : 'fork_mode',
    instances,
    instance_var: 'NODE_APP_INSTANCE',
    env: environmentOf(definition),
    pm_out_log_path: log('out'),
    pm_err_log_path: log('error'),
    pm_pid_path: join(home, 'pids', `${name}.pid`),
    // Lines with their time, which plain logs lack.
    log_type: 'json',
    merge_logs: false,
    autostart: true,
    autorestart: definition.autoRestart,
    watch: false,
    vizion: false,
    treekill: hasPs(),
    windowsHide: true,
    kill_timeout: definition.stopTimeoutMs,
    max_restarts: restart.maxRestarts,
    min_uptime: restart.minUptimeMs,
    exp_backoff_restart_delay: restart.baseDelayMs,
    ...(maxMemoryBytes === null ? {} : { max_memory_restart: maxMemoryBytes }),
    nexus_service: { port, health, definition: fingerprintOf(definition) },
  }
}

/** The same for the same definition, and telling nothing of its environment. */
export function fingerprintOf(definition: ResolvedDefinition): string {
  return createHash('sha256').update(JSON.stringify(definition)).digest('hex')
}

/**
 * Whether PM2 can find out which processes a service has started. Where it tries to and cannot, it carries every stop
 * out twice, and loses sight of the process that a restart begins.
 */
function hasPs(): boolean {
  if (process.platform === 'win32') return true
  const directories = (process.env.PATH ?? '').split(delimiter)
  return directories.some((directory) => existsSync(join(directory, 'ps')))
}

function refuseWhatPm2Lacks({ name, env, health, maxCpuPercent }: ResolvedDefinition): void {
  const variables = Object.keys(env).filter((key) => reserved.test(key))
  const lacking = [
    ...(maxCpuPercent === null ? [] : ['limit of CPU (maxCpuPercent)']),
    ...(health?.ipc ? ['health check over IPC (health.ipc)'] : []),
    ...variables.map((key) => `way to set the environment variable ${key}`),
  ]
  if (lacking.length === 0) return
  throw new ProcessManagerError(
    'NOT_SUPPORTED',
    `Service "${name}": PM2 has no ${lacking.join(', no ')}; leave it out, or use the native engine`,
    { details: { name, lacking } },
  )
}

/** A service under PM2 gets the environment of the command that starts it: PM2 gives it nothing of its daemon's. */
function environmentOf({ env, port }: ResolvedDefinition): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([key]) => !reserved.test(key))
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    ...env,
    ...(port === null ? {} : { PORT: String(port) }),
  }
}

/** The files a process logs to, with the stream that each is for. */
export function logFilesOf({
  pm2_env,
}: Pm2Process): { path: string; stream: 'stdout' | 'stderr' }[] {
  const files = [
    { path: pm2_env.pm_out_log_path, stream: 'stdout' },
    { path: pm2_env.pm_err_log_path, stream: 'stderr' },
  ] as const
  return files.flatMap(({ path, stream }) =>
    path && basename(path) !== 'null' && basename(path) !== 'NUL' ? [{ path, stream }] : [],
  )
}
