import type { HealthReport } from '../process-engine.js'
import type { ServiceDefinition, ServiceStatus } from '../service/service.js'
import type { WarmPoolStats } from '../warm-pool/warm-pool.js'

/** Raised when a client and a daemon of different versions would misunderstand each other. */
export const PROTOCOL = 1

/** What a client may ask of the daemon. */
export interface Methods {
  start: { params: { definition: ServiceDefinition; timeoutMs: number }; result: ServiceStatus }
  stop: { params: { name: string }; result: ServiceStatus }
  restart: { params: { name: string; timeoutMs: number }; result: ServiceStatus }
  reload: { params: { name: string; timeoutMs: number }; result: ServiceStatus }
  scale: {
    params: { name: string; instances: number; timeoutMs: number }
    result: ServiceStatus
  }
  delete: { params: { name: string }; result: null }
  list: { params: Record<never, never>; result: ServiceStatus[] }
  health: { params: { name: string; timeoutMs: number }; result: HealthReport }
  save: { params: Record<never, never>; result: number }
  resurrect: { params: { timeoutMs: number }; result: string[] }
  stats: { params: Record<never, never>; result: DaemonStats }
  shutdown: { params: Record<never, never>; result: null }
}

export type Method = keyof Methods

/** What the daemon knows of itself. */
export interface DaemonStats {
  /** Its process. */
  pid: number
  /** Since its start, in milliseconds. */
  uptimeMs: number
  /** Memory of the daemon itself. */
  memoryBytes: number
  /** Services that it knows. */
  services: number
  /** Processes of services that run. */
  processes: number
  /** Requests that it answered. */
  requests: number
  /** Processes that wait to become services. */
  warmPool: WarmPoolStats
  /** What it cannot do at the moment, such as write to a full disk. */
  warnings: string[]
}

/** One line of JSON from a client. */
export interface Request {
  id: number
  method: Method
  params: unknown
}

/** One line of JSON from the daemon: a greeting, then for each request a receipt and an answer. */
export type Reply =
  | { hello: { protocol: number; pid: number } }
  | { id: number; received: true }
  | { id: number; result: unknown; warnings: readonly string[] }
  | { id: number; error: WireError }

/** A `ProcessManagerError` on its way. */
export interface WireError {
  code: string
  message: string
  details: Readonly<Record<string, unknown>>
}
