import type { ResolvedRetryOptions } from '../../options.js'

/** How long to wait after the `attempt`-th failure. */
export function retryDelayMs(
  attempt: number,
  { baseDelayMs, factor, maxDelayMs, jitter }: ResolvedRetryOptions,
  random: () => number = Math.random,
): number {
  const full = Math.min(maxDelayMs, baseDelayMs * factor ** (attempt - 1))
  return Math.round(full * (1 - jitter * random()))
}
