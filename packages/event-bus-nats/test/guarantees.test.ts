import { EventBus } from '@nexus/event-bus'
import { NatsCacheTier, natsStore } from '@nexus/event-bus-nats'
import { hasNats, type ServerProcess, startNats } from '@nexus/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe.skipIf(!hasNats())('a bus on NATS', () => {
  let server: ServerProcess

  beforeAll(async () => {
    server = await startNats()
  })

  afterAll(async () => {
    await server.stop()
  })

  it('does not promise what JetStream does not do', async () => {
    const bus = await EventBus.open({ store: natsStore({ servers: [`nats://${server.address}`] }) })
    expect((await bus.getStats()).store.durability).toBe('os')
    await bus.publish({ type: 'a' }, { durability: 'os' })
    await expect(bus.publish({ type: 'a' }, { durability: 'disk' })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
    await bus.close()
  })

  it('says where it cannot connect', async () => {
    const store = natsStore({ servers: ['nats://127.0.0.1:1'], requestTimeoutMs: 500 })
    await expect(EventBus.open({ store })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('shares compiled code between machines', async () => {
    const one = new NatsCacheTier({ servers: [`nats://${server.address}`] })
    const two = new NatsCacheTier({ servers: [`nats://${server.address}`] })
    expect(await two.get('key')).toBe(undefined)
    await one.put('key', new Uint8Array([0, 255, 128]))
    expect(new Uint8Array((await two.get('key'))!)).toEqual(new Uint8Array([0, 255, 128]))
    await one.close()
    await two.close()
    await expect(one.get('key')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
