import { type CloudEvent, EventBus, memoryStore } from '@nexus/event-bus'
import { type } from 'arktype'
import * as v from 'valibot'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close()
})

async function openShop() {
  const bus = await EventBus.open({
    store: memoryStore(),
    schemas: {
      'shop.order.paid': z.object({ total: z.number() }),
      'shop.order.sent': z3.object({ carrier: z3.string() }),
      'shop.order.packed': v.object({ boxes: v.number() }),
      'shop.order.returned': type({ reason: 'string' }),
    },
  })
  open.push(bus)
  return bus
}

describe('types that follow the schemas', () => {
  it('data of an event to publish is what its schema takes', async () => {
    const bus = await openShop()
    await bus.publish({ type: 'shop.order.paid', data: { total: 21 } })
    // @ts-expect-error a total is a number
    await expect(bus.publish({ type: 'shop.order.paid', data: { total: '21' } })).rejects.toThrow()
    // @ts-expect-error data is missing
    await expect(bus.publish({ type: 'shop.order.paid' })).rejects.toThrow()
    await bus.publish({ type: 'anything', data: { else: true } })
    await bus.publish({ type: 'anything' })
  })

  it('data of an event to handle is what the schema of its type takes', async () => {
    const bus = await openShop()
    const ready = [
      bus.subscribe(
        'shop.order.paid',
        ({ event }) => void expectTypeOf(event.data).toEqualTypeOf<{ total: number }>(),
        { group: 'one' },
      ),
      bus.subscribe(
        ['shop.order.paid', 'shop.order.sent'],
        ({ event }) => {
          if (event.type === 'shop.order.sent') expectTypeOf(event.data.carrier).toBeString()
          else expectTypeOf(event.data.total).toBeNumber()
        },
        { group: 'two' },
      ),
      bus.subscribe('shop.>', ({ event }) => void expectTypeOf(event).toEqualTypeOf<CloudEvent>(), {
        group: 'all',
      }),
    ].map((subscription) => subscription.ready)
    await Promise.all(ready)
  })

  it('the same with valibot and arktype', async () => {
    const bus = await openShop()
    await bus.publish({ type: 'shop.order.packed', data: { boxes: 2 } })
    await bus.publish({ type: 'shop.order.returned', data: { reason: 'torn' } })
    const wrong = { code: 'SCHEMA_MISMATCH' }
    await expect(
      // @ts-expect-error boxes is a number
      bus.publish({ type: 'shop.order.packed', data: { boxes: 'two' } }),
    ).rejects.toMatchObject({ ...wrong, message: expect.stringContaining('data.boxes') })
    await expect(
      // @ts-expect-error a reason is text
      bus.publish({ type: 'shop.order.returned', data: { reason: 5 } }),
    ).rejects.toMatchObject({ ...wrong, message: expect.stringContaining('data.reason') })
    const { ready } = bus.subscribe(
      ['shop.order.packed', 'shop.order.returned'],
      ({ event }) => {
        if (event.type === 'shop.order.packed') expectTypeOf(event.data.boxes).toBeNumber()
        else expectTypeOf(event.data.reason).toBeString()
      },
      { group: 'both' },
    )
    await ready
  })

  it('a bus with schemas is a bus', async () => {
    const takesAnyBus = (bus: EventBus) => bus
    const bus = await openShop()
    expect(takesAnyBus(bus)).toBe(bus)
  })
})

describe('schemas of any validator', () => {
  it('of zod 3 checks the data, and names the path of a problem', async () => {
    const bus = await openShop()
    const wrong: object = { carrier: 7 }
    await expect(
      bus.publish({ type: 'shop.order.sent', data: wrong as { carrier: string } }),
    ).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('data.carrier'),
    })
  })

  it('may be a function, and may name a path by segments', async () => {
    const schema = Object.assign(() => {}, {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          value === 1 ? { value } : { issues: [{ message: 'not one', path: [{ key: 'a' }, 0] }] },
      },
    })
    const bus = await EventBus.open({ store: memoryStore(), schemas: { one: schema } })
    open.push(bus)
    await bus.publish({ type: 'one', data: 1 })
    await expect(bus.publish({ type: 'one', data: 2 })).rejects.toThrow('data.a.0: not one')
  })

  it('that answers with a promise is refused by name', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: async (value: unknown) => ({ value }),
      },
    }
    const bus = await EventBus.open({ store: memoryStore(), schemas: { late: schema } })
    open.push(bus)
    await expect(bus.publish({ type: 'late', data: 1 })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('late'),
    })
  })

  it('that is none is refused when the bus opens', async () => {
    const schemas = { wrong: { safeParse: () => ({ success: true }) } }
    // @ts-expect-error it has not the interface
    const opening = EventBus.open({ store: memoryStore(), schemas })
    await expect(opening).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(/schemas\.wrong.*standardschema\.dev/s),
    })
  })
})
