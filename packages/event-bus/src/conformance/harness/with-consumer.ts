import { systemClock } from '../../clock.js'
import type {
  EventStore,
  GroupConsumer,
  GroupRequest,
  Settlement,
} from '../../store/event-store.js'
import type { ConformanceCase, ConformanceHarness } from './harness.js'

/** Opens a consumer of the group `g`, which begins at the first event. */
export type OpenConsumer = (request?: Partial<GroupRequest>) => Promise<GroupConsumer>

/** A case on a store without a bus, which has one event of type `a` with the id `x`. */
export function withConsumer(
  name: string,
  body: (open: OpenConsumer, store: EventStore, harness: ConformanceHarness) => Promise<void>,
): ConformanceCase {
  return {
    name,
    run: async (harness) => {
      const storage = await harness.createStorage()
      const store = storage.openStore()
      const ignore = (): void => {}
      try {
        await store.open({
          clock: systemClock,
          onConnected: ignore,
          onDisconnected: ignore,
          onEmptied: ignore,
          onRepaired: ignore,
          onError: ignore,
        })
        await store.append([requestOf('x')], undefined)
        // Longer than a case may take: what is not given back does not come again.
        const usual = { name: 'g', patterns: ['a'], ordered: false, ackWaitMs: 600_000 }
        const open: OpenConsumer = (request) =>
          store.openGroup({ ...usual, start: 'beginning', ...request })
        await body(open, store, harness)
      } finally {
        await store.close()
        await storage.dispose()
      }
    },
  }
}

/** An event of type `a` as a store takes it. */
export function requestOf(id: string) {
  const event = {
    specversion: '1.0' as const,
    id,
    source: '/s',
    type: 'a',
    time: '2026-01-01T00:00:00Z',
  }
  return { event, json: JSON.stringify(event) }
}

/** How a failed attempt is settled. */
export function failedAttempt(kind: 'retry' | 'dead-letter'): Settlement {
  const error = { message: 'no' }
  return kind === 'retry'
    ? { kind, delayMs: 0, inPlace: false, durationMs: 1, error }
    : { kind, durationMs: 1, error }
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal
}
