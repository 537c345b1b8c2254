import type { SystemMonitor, SystemReading } from '@nexus/metrics'

/** Shares of a shorter time say little. */
const FRESH_MS = 1000

/** Reads the machine at most once a second: clients that ask at the same time must not shorten each other's time. */
export function machineReader(
  monitor: Pick<SystemMonitor, 'read'>,
  clock: { now(): number } = performance,
): () => SystemReading {
  let last: { reading: SystemReading; atMs: number } | undefined
  return () => {
    const atMs = clock.now()
    if (!last || atMs - last.atMs >= FRESH_MS) last = { reading: monitor.read(), atMs }
    return last.reading
  }
}
