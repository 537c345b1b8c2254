import type { EventStore, GroupConsumer } from '../../store/event-store.js'
import type { ConformanceHarness } from './harness.js'

/** The harness with stores that a case has changed: calls that fail, answers that are lost. */
export function withChangedStore(
  harness: ConformanceHarness,
  change: (store: EventStore) => void,
): ConformanceHarness {
  return {
    ...harness,
    createStorage: async () => {
      const storage = await harness.createStorage()
      return {
        environment: storage.environment,
        openStore: (options) => {
          const store = storage.openStore(options)
          change(store)
          return store
        },
        dispose: () => storage.dispose(),
      }
    },
  }
}

/** Changes every consumer that the store opens. */
export function changeConsumers(
  store: EventStore,
  change: (consumer: GroupConsumer) => void,
): void {
  const openGroup = store.openGroup.bind(store)
  store.openGroup = async (request) => {
    const consumer = await openGroup(request)
    change(consumer)
    return consumer
  }
}
