import type { Labels } from './definition.js'

/** Measures from now until the returned function is called, which hands on the time in seconds and returns it. */
export function startTimer<L extends string>(
  observe: (seconds: number, labels: Labels<L> | undefined) => void,
): (labels?: Labels<L>) => number {
  const startedMs = performance.now()
  return (labels) => {
    const seconds = (performance.now() - startedMs) / 1000
    observe(seconds, labels)
    return seconds
  }
}
