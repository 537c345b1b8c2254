import { onTestFinished } from 'vitest'

/** A server, or files that are in the way afterwards. */
type Temporary = { stop(): Promise<void> } | { remove(): void }

/** Waits for what a test needs, and takes it away again when the test ends, however it does. */
export async function untilTestEnds<T extends Temporary>(made: Promise<T>): Promise<T> {
  const temporary = await made
  onTestFinished(() => ('stop' in temporary ? temporary.stop() : temporary.remove()))
  return temporary
}
