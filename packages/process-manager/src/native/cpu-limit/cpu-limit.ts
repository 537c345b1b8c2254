import { limitByCgroup } from './cgroup.js'
import { DutyCycle } from './duty-cycle.js'

/** Holds a process to its share of a core until it is lifted. */
export interface CpuLimit {
  readonly by: 'cgroup' | 'signals'
  /** Lets the process run freely, so that it can end; called once more after its end. */
  lift(): void
}

/** By the kernel where this user may write cgroups, by stopping and continuing the process elsewhere. */
export function limitCpu(
  pid: number,
  percent: number,
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => void,
): CpuLimit {
  return limitByCgroup(pid, percent) ?? new DutyCycle(pid, percent, signal)
}
