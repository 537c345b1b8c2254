import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'

/**
 * Asks again and again until it is so, and gives that answer; fails with the last one when it never is.
 * `expect.poll` does the same where the answer itself is of no use afterwards.
 *
 * @param withinMs long enough for a slow machine: a test that passes does not wait for it
 */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  isSo: (answer: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    if (performance.now() > deadline) {
      throw new Error(`not so within ${withinMs} ms; the last answer: ${inspect(answer)}`)
    }
    await pause(20)
  }
}
