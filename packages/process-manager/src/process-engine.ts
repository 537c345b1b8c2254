import type { ServiceDefinition, ServiceStatus } from './service/service.js'

/** The answer of a health check made now. */
export interface HealthReport {
  name: string
  healthy: boolean
  /** How long the slowest instance took to answer. */
  durationMs: number
  /** Why it is not healthy. */
  reason: string | null
}

/** A line that a service wrote. */
export interface ServiceLogLine {
  name: string
  /** The instance's index. */
  instance: number
  stream: 'stdout' | 'stderr'
  /** Milliseconds since the epoch. */
  time: number
  text: string
}

/** Which lines of a log are asked for. */
export interface LogQuery {
  /** The last so many lines. @default 100 */
  lines?: number
  /** Go on with lines as they are written, until the signal aborts. @default false */
  follow?: boolean
  signal?: AbortSignal
}

/**
 * Runs services in processes that outlive the caller. Commands that change one service run in the order they came, from
 * whichever process; those for different services run at the same time. Every method rejects with a `ProcessManagerError`
 * within its engine's time limit, whatever the daemon does.
 */
export interface ProcessEngine {
  readonly kind: 'native' | 'pm2'
  /** Resolves once every instance accepts work; with a health check, once it passes. Replaces a stopped service of that name. */
  start(definition: ServiceDefinition): Promise<ServiceStatus>
  stop(name: string): Promise<ServiceStatus>
  restart(name: string): Promise<ServiceStatus>
  /** Stops it and forgets it, its log files too. */
  delete(name: string): Promise<void>
  list(): Promise<ServiceStatus[]>
  health(name: string, timeoutMs: number): Promise<HealthReport>
  logs(name: string, query: LogQuery): AsyncIterable<ServiceLogLine>
  /** Writes down what runs now, for `resurrect`; answers how many services that are. */
  save(): Promise<number>
  /** Starts what was saved and does not run; answers their names. */
  resurrect(): Promise<string[]>
  /** Lets go of the connection; what runs goes on running. */
  close(): Promise<void>
}
