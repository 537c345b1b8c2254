import { dirname } from 'node:path'
import type { HealthCheck, RestartRule, ServiceDefinition } from './service.js'

/** A health check with every default filled in. */
export type ResolvedHealthCheck = HealthCheck &
  Required<Pick<HealthCheck, 'intervalMs' | 'timeoutMs' | 'failures'>>

/** A service definition with every default filled in. */
export interface ResolvedDefinition {
  name: string
  script: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  port: number | null
  instances: number
  lazyInit: boolean
  maxMemoryBytes: number | null
  maxCpuPercent: number | null
  health: ResolvedHealthCheck | null
  restart: Required<RestartRule>
  stopTimeoutMs: number
}

export const RESTART_DEFAULTS: Required<RestartRule> = {
  maxRestarts: 10,
  minUptimeMs: 1_000,
  baseDelayMs: 100,
  maxDelayMs: 15_000,
}

/** The one place that knows the defaults of a service. */
export function withDefaults(definition: ServiceDefinition): ResolvedDefinition {
  const { health } = definition
  return {
    name: definition.name,
    script: definition.script,
    args: definition.args ?? [],
    cwd: definition.cwd ?? dirname(definition.script),
    env: definition.env ?? {},
    port: definition.port ?? null,
    instances: definition.instances ?? 1,
    lazyInit: definition.lazyInit ?? false,
    maxMemoryBytes: definition.maxMemoryBytes ?? null,
    maxCpuPercent: definition.maxCpuPercent ?? null,
    health: health ? { intervalMs: 5_000, timeoutMs: 2_000, failures: 3, ...health } : null,
    restart: { ...RESTART_DEFAULTS, ...definition.restart },
    stopTimeoutMs: definition.stopTimeoutMs ?? 5_000,
  }
}
