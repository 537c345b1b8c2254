import type { ResolvedHealthCheck } from '../../../service/service-defaults.js'
import type { ServiceProcess } from '../instance/service-process.js'
import { checkHealth } from './health-check.js'

/** What a watched instance turns out to be. */
export interface HealthVerdicts {
  healthy(): void
  /** One check failed. */
  unhealthy(reason: string): void
  /** Too many checks failed in a row: the instance has to be replaced. */
  failed(reason: string): void
}

const FIRST_RETRY_MS = 25

/** Checks one process: until it is healthy for the first time, and at an interval from then on. */
export class HealthMonitor {
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    private readonly definition: ResolvedHealthCheck,
    private readonly process: ServiceProcess,
  ) {}

  untilHealthy(healthy: () => void, delayMs = FIRST_RETRY_MS): void {
    void this.#check().then((reason) => {
      if (this.#closed) return
      if (reason === null) healthy()
      else
        this.#later(delayMs, () =>
          this.untilHealthy(healthy, Math.min(this.definition.intervalMs, 2 * delayMs)),
        )
    })
  }

  watch(verdicts: HealthVerdicts, failuresSoFar = 0): void {
    const { intervalMs, failures } = this.definition
    this.#later(intervalMs, async () => {
      const reason = await this.#check()
      if (this.#closed) return
      const failed = reason === null ? 0 : failuresSoFar + 1
      if (reason === null) verdicts.healthy()
      else if (failed < failures) verdicts.unhealthy(reason)
      else return verdicts.failed(reason)
      this.watch(verdicts, failed)
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #check() {
    return checkHealth(this.definition, this.definition.timeoutMs, this.process.askHealth)
  }

  #later(delayMs: number, action: () => void) {
    this.#timer = setTimeout(action, delayMs)
  }
}
