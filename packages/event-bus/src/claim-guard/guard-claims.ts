import { parentPort, workerData } from 'node:worker_threads'
import type { GuardData, GuardedConsumer, GuardMessage } from './guard-message.js'

/** A loop that is silent for this many times `lapseMs` counts as dead, not busy: its claims lapse. */
const LONGEST_SILENCE = 20

interface Guarded<C> {
  consumer: C
  claims: Set<string>
  timer: NodeJS.Timeout
}

/**
 * The thread's program: extends the claims it is told of while the main thread shows no sign of life.
 *
 * @param openExtend gets the options of the `ClaimGuard`; answers what extends claims of a consumer
 */
export function guardClaims<C extends GuardedConsumer, O>(
  openExtend: (options: O) => (consumer: C, claims: string[]) => Promise<void>,
): void {
  const { beat, options } = workerData as GuardData
  const lastBeat = new BigInt64Array(beat)
  const extend = openExtend(options as O)
  const guarded = new Map<string, Guarded<C>>()

  const look = ({ consumer, claims }: Guarded<C>): void => {
    const silentMs = Number(process.hrtime.bigint() / 1_000_000n - Atomics.load(lastBeat, 0))
    const { lapseMs } = consumer
    if (silentMs < lapseMs / 2 || silentMs > LONGEST_SILENCE * lapseMs) return
    // One that fails is followed by the next.
    extend(consumer, [...claims]).catch(() => {})
  }

  parentPort!.on('message', (message: GuardMessage | 'close') => {
    // Ends this thread only, with its connection.
    if (message === 'close') process.exit(0)
    const { added, removed } = message
    for (const { id, claims } of removed) {
      const known = guarded.get(id)
      for (const claim of claims) known?.claims.delete(claim)
    }
    for (const { consumer, claims } of added) {
      const known = guarded.get(consumer.id) ?? {
        consumer: consumer as C,
        claims: new Set<string>(),
        timer: setInterval(() => look(guarded.get(consumer.id)!), consumer.lapseMs / 6),
      }
      guarded.set(consumer.id, known)
      for (const claim of claims) known.claims.add(claim)
    }
    for (const [id, { claims, timer }] of guarded) {
      if (claims.size > 0) continue
      clearInterval(timer)
      guarded.delete(id)
    }
  })
}
