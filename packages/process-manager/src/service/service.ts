/** How a service proves that it works. Exactly one of `url`, `port` and `ipc` is given. */
export interface HealthCheck {
  /** Healthy when a GET of this HTTP address answers 200 to 399. */
  url?: string | undefined
  /** Healthy when this TCP port of 127.0.0.1 accepts a connection. */
  port?: number | undefined
  /** Healthy when the service answers a `{ type: 'nexus:health' }` message over IPC with `{ type: 'nexus:healthy' }`. */
  ipc?: boolean | undefined
  /** @default 5000 */
  intervalMs?: number | undefined
  /** @default 2000 */
  timeoutMs?: number | undefined
  /** Checks that fail in a row until the instance is restarted. @default 3 */
  failures?: number | undefined
}

/** When an instance that ends by itself is started again. */
export interface RestartRule {
  /** Starts after early ends in a row; the next early end leaves the instance `errored`. @default 10 */
  maxRestarts?: number | undefined
  /** An instance that lived shorter than this, or never accepted work, ended early. @default 1000 */
  minUptimeMs?: number | undefined
  /** Wait before the first restart; it doubles with every early end. @default 100 */
  baseDelayMs?: number | undefined
  /** @default 15000 */
  maxDelayMs?: number | undefined
}

/** What a service is: everything that is needed to start it again. */
export interface ServiceDefinition {
  /** 1 to 64 of letters, digits, `.`, `_` and `-`, beginning with a letter or a digit. */
  name: string
  /** Absolute path of a JavaScript file. */
  script: string
  /** @default [] */
  args?: readonly string[] | undefined
  /** @default the directory of the script */
  cwd?: string | undefined
  /** Added to the daemon's environment; never listed. @default {} */
  env?: Readonly<Record<string, string>> | undefined
  /** Given to the service as `PORT`. Several instances listen on it together, as a cluster. */
  port?: number | undefined
  /** Processes that run the script. @default 1 */
  instances?: number | undefined
  /** A start answers once the service accepts work, though it goes on initialising. @default false */
  lazyInit?: boolean | undefined
  /** An instance above it is restarted. No limit by default. */
  maxMemoryBytes?: number | undefined
  /** Share of one core in percent that an instance may use. No limit by default. */
  maxCpuPercent?: number | undefined
  /** How it proves that it works. @default its port, else its state */
  health?: HealthCheck | undefined
  /** Whether an instance that ends by itself is started again. @default true */
  autoRestart?: boolean | undefined
  /** When an instance that ends by itself is started again. */
  restart?: RestartRule | undefined
  /** Restarted at these times: a cron expression of five fields, or six with seconds, in the time zone of the machine. */
  cronRestart?: string | undefined
  /** Restarted when one of these files, or one in these directories, changes: absolute paths. @default [] */
  watch?: readonly string[] | undefined
  /** From the polite signal until the instance is killed. @default 5000 */
  stopTimeoutMs?: number | undefined
}

/**
 * - `starting`: forked, not yet accepting work
 * - `initialising`: accepts work, has not said that it is ready (only with `lazyInit`)
 * - `online`: works
 * - `unhealthy`: its health check fails; restarted soon
 * - `stopping`: asked to end
 * - `waiting`: ended early, restarted after a delay
 * - `stopped`: ended as asked
 * - `errored`: ended early too often, or could not be started
 */
export type ServiceState =
  | 'starting'
  | 'initialising'
  | 'online'
  | 'unhealthy'
  | 'stopping'
  | 'waiting'
  | 'stopped'
  | 'errored'

/** One process of a service. */
export interface InstanceStatus {
  /** From 0. */
  index: number
  /** Its process; null while it does not run. */
  pid: number | null
  /** What it does now. */
  state: ServiceState
  /** Milliseconds since the epoch; null while it does not run. */
  startedAt: number | null
  /** Starts after the first, whatever their reason. */
  restarts: number
  /** Share of one core over the last measurement. */
  cpuPercent: number
  /** Memory in RAM at the last measurement. */
  memoryBytes: number
  /** How it last ended. */
  exit: { code: number | null; signal: string | null } | null
  /** Why it is `errored`, `waiting` or `unhealthy`. */
  reason: string | null
}

/** A service as it is now. Holds nothing of its environment. */
export interface ServiceStatus {
  /** Name of the service. */
  name: string
  /** Absolute path of its JavaScript file. */
  script: string
  /** The port given to it; null where it has none. */
  port: number | null
  /** The worst of its instances' states. */
  state: ServiceState
  /** Its processes, in the order of `index`. */
  instances: readonly InstanceStatus[]
}
