import { EventBus, EventBusError, type EventStore, memoryStore } from '@nexus/event-bus'
import { expect, it } from 'vitest'

/** A memory store whose groups cannot be opened at first. */
function awayFor(failures: number, code: 'STORE_UNAVAILABLE' | 'READ_ONLY'): EventStore {
  const store = memoryStore()
  const openGroup = store.openGroup.bind(store)
  let left = failures
  store.openGroup = async (request) => {
    left -= 1
    if (left >= 0) throw new EventBusError(code, 'away')
    return openGroup(request)
  }
  return store
}

it('a subscription waits for a server that is away', async () => {
  const bus = await EventBus.open({ store: awayFor(2, 'STORE_UNAVAILABLE') })
  const errors: unknown[] = []
  bus.on('error', (error) => errors.push(error))
  const got = new Promise((resolve) => {
    bus.subscribe('a', ({ event }) => resolve(event.id), { group: 'g', start: 'beginning' })
  })
  await bus.publish({ type: 'a', id: 'x' })
  expect(await got).toBe('x')
  expect(errors).toHaveLength(2)
  await bus.close()
})

it('it does not wait for what waiting does not change, nor longer than it is open', async () => {
  const bus = await EventBus.open({ store: awayFor(1, 'READ_ONLY') })
  await expect(bus.subscribe('a', () => {}, { group: 'g' }).ready).rejects.toMatchObject({
    code: 'READ_ONLY',
  })
  await bus.close()
  const other = await EventBus.open({ store: awayFor(1000, 'STORE_UNAVAILABLE') })
  const { ready } = other.subscribe('a', () => {}, { group: 'g' })
  await Promise.all([
    expect(ready).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' }),
    other.close(),
  ])
})

it('tells once that its server is away, and again what fails with the server there', async () => {
  const store = memoryStore()
  const open = store.open.bind(store)
  let context: Parameters<EventStore['open']>[0] | undefined
  store.open = (given) => {
    context = given
    return open(given)
  }
  const bus = await EventBus.open({ store })
  const told: string[] = []
  bus.on('disconnected', (reason) => told.push(reason))
  bus.on('error', (error) => told.push((error as EventBusError).code))
  const away = new EventBusError('STORE_UNAVAILABLE', 'away')
  context!.onDisconnected('lost')
  context!.onError(away)
  context!.onError(new EventBusError('STORE_FAILED', 'another reason'))
  context!.onConnected()
  context!.onError(away)
  expect(told).toEqual(['lost', 'STORE_FAILED', 'STORE_UNAVAILABLE'])
  await bus.close()
})
