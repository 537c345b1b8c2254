/** Ctrl-C reaches a process twice under npm: from the terminal, and at once again from npm. */
const REPEAT_MS = 300

/** What sends the signals, and the time between them in milliseconds. */
export interface StopSignalParts {
  signals: Pick<NodeJS.EventEmitter, 'on'>
  clock: { now(): number }
}

/**
 * Resolves at the first SIGINT or SIGTERM; one that comes during the start counts after it.
 *
 * @param onSecond called for one that is no repeat of the first: who asks twice does not want to wait
 */
export function stopSignal(
  onSecond: (signal: 'SIGINT' | 'SIGTERM') => void,
  { signals, clock }: StopSignalParts = { signals: process, clock: performance },
): Promise<void> {
  let firstMs: number | undefined
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      signals.on(signal, () => {
        const now = clock.now()
        if (firstMs !== undefined && now - firstMs >= REPEAT_MS) onSecond(signal)
        firstMs ??= now
        stop()
      })
    }
  })
}
