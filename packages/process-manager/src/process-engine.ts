import type { ServiceDefinition, ServiceStatus } from './service/service.js'

/** The answer of a health check made now. */
export interface HealthReport {
  /** Name of the service. */
  name: string
  /** Whether every instance answered well in time. */
  healthy: boolean
  /** How long the slowest instance took to answer. */
  durationMs: number
  /** Why it is not healthy. */
  reason: string | null
}

/** A line that a service wrote. */
export interface ServiceLogLine {
  /** Name of the service. */
  name: string
  /** The instance's index. */
  instance: number
  /** Where the service wrote it. */
  stream: 'stdout' | 'stderr'
  /** Milliseconds since the epoch. */
  time: number
  /** The line without its end. */
  text: string
}

/** Which lines of a log are asked for. */
export interface LogQuery {
  /** How many of the last lines. @default 100 */
  lines?: number
  /** Go on with lines as they are written, until the signal aborts. @default false */
  follow?: boolean
  /** Ends the reading. @default none */
  signal?: AbortSignal
}

/**
 * Runs services in processes that outlive the caller. Commands that change one service run in the order they came, from
 * whichever process; those for different services run at the same time. Every method rejects with a `ProcessManagerError`
 * within its engine's time limit, whatever the daemon does.
 */
export interface ProcessEngine {
  /** The engine's name. */
  readonly kind: 'native' | 'pm2'
  /** What its daemon could not do as it last answered, such as write down on a full disk what a command changed. */
  readonly warnings: readonly string[]
  /** Resolves once every instance accepts work; with a health check, once it passes. Replaces a stopped service of that name. */
  start(definition: ServiceDefinition): Promise<ServiceStatus>
  /** Stops every instance; resolves once all have ended. */
  stop(name: string): Promise<ServiceStatus>
  /** Restarts the instances one after the other; starts a service that is stopped. */
  restart(name: string): Promise<ServiceStatus>
  /** Restarts the instances so that no connection to its port is refused: each goes on until the next one accepts work. */
  reload(name: string): Promise<ServiceStatus>
  /** Changes how many instances there are; those that stay go on. */
  scale(name: string, instances: number): Promise<ServiceStatus>
  /** Stops it and forgets it, its log files too. */
  delete(name: string): Promise<void>
  /** Every service that it knows. */
  list(): Promise<ServiceStatus[]>
  /** Checks a service now: by its health check, else by its port, else by its state. */
  health(name: string, timeoutMs: number): Promise<HealthReport>
  /** The lines of a service's log, oldest first. */
  logs(name: string, query: LogQuery): AsyncIterable<ServiceLogLine>
  /** Writes down what runs now, for `resurrect`; answers how many services that are. */
  save(): Promise<number>
  /** Starts what was saved and does not run; answers their names. */
  resurrect(): Promise<string[]>
  /** Closes the connection; services keep running. */
  close(): Promise<void>
}
