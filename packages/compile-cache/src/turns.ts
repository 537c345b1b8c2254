import { setImmediate } from 'node:timers/promises'

/** Longest time that builds take in a row before timers and sockets of this thread get a turn, in milliseconds. */
const TURN_MS = 10

let endsAt = 0
let next: Promise<void> | undefined

/**
 * Shares the turns of this thread's event loop among all builds: together they work for 10 ms, then everything else of
 * the process gets its turn.
 *
 * @returns `undefined` while the turn lasts, otherwise a promise of the next one, in which another build may be first
 */
export function turnOver(): Promise<void> | undefined {
  if (performance.now() < endsAt) return undefined
  next ??= setImmediate().then(() => {
    next = undefined
    endsAt = performance.now() + TURN_MS
  })
  return next
}

/** Waits until this turn has time left. */
export async function untilTurn(): Promise<void> {
  for (let wait = turnOver(); wait; wait = turnOver()) await wait
}
