/** Wait before a store that failed so often in a row is asked again. */
export function storeRetryMs(failures: number): number {
  return Math.min(5_000, 100 * 4 ** failures)
}
