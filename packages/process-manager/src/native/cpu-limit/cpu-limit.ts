import { limitByCgroup } from './cgroup.js'
import { ContinuationGuard } from './continuation-guard.js'
import { DutyCycle } from './duty-cycle.js'
import type { CpuLimit } from './limit.js'

/** Limits processes by the kernel where this user may write cgroups, by stopping and continuing them elsewhere. */
export class CpuLimiter {
  readonly #guard = new ContinuationGuard()

  /** @param pid leads a process group */
  limit(pid: number, percent: number, signal: (signal: 'SIGSTOP' | 'SIGCONT') => void): CpuLimit {
    const byCgroup = limitByCgroup(pid, percent)
    if (byCgroup !== null) return byCgroup
    const cycle = new DutyCycle(pid, percent, signal)
    this.#guard.add(pid)
    return {
      by: 'signals',
      lift: () => {
        cycle.lift()
        this.#guard.remove(pid)
      },
    }
  }
}
