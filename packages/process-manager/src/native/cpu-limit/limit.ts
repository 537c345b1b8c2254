/** Holds a process to its share of a core until it is lifted. */
export interface CpuLimit {
  readonly by: 'cgroup' | 'signals'
  /** Lets the process run freely, so that it can end; called once more after its end. */
  lift(): void
}
