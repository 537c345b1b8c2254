import { dirname } from 'node:path'
import type { HealthCheck, RestartRule, ServiceDefinition } from './service.js'

/** A health check with every default filled in. */
export type ResolvedHealthCheck = Pick<HealthCheck, 'url' | 'port' | 'ipc'> & {
  intervalMs: number
  timeoutMs: number
  failures: number
}

/** A restart rule with every default filled in. */
export type ResolvedRestartRule = { [K in keyof RestartRule]-?: number }

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
  autoRestart: boolean
  restart: ResolvedRestartRule
  cronRestart: string | null
  watch: readonly string[]
  stopTimeoutMs: number
}

/** The one place that knows the defaults of a service. */
export function withDefaults(definition: ServiceDefinition): ResolvedDefinition {
  const { health, restart = {} } = definition
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
    health: health
      ? {
          ...health,
          intervalMs: health.intervalMs ?? 5_000,
          timeoutMs: health.timeoutMs ?? 2_000,
          failures: health.failures ?? 3,
        }
      : null,
    autoRestart: definition.autoRestart ?? true,
    restart: {
      maxRestarts: restart.maxRestarts ?? 10,
      minUptimeMs: restart.minUptimeMs ?? 1_000,
      baseDelayMs: restart.baseDelayMs ?? 100,
      maxDelayMs: restart.maxDelayMs ?? 15_000,
    },
    cronRestart: definition.cronRestart ?? null,
    watch: definition.watch ?? [],
    stopTimeoutMs: definition.stopTimeoutMs ?? 5_000,
  }
}
