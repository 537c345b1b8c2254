import type { FunctionDefinition, FunctionHost } from '@nexus/functions'
import { describe, expect, it } from 'vitest'
import { openHost } from './open-host.js'

const once = { maxAttempts: 1 }
const charge: FunctionDefinition = {
  name: 'charge',
  source: "export default (event) => { throw new RangeError('no ' + event.data.n) }",
  events: 'order',
  retry: { maxAttempts: 2, baseDelayMs: 1 },
  onFailure: 'refund',
}
const refund: FunctionDefinition = {
  name: 'refund',
  source: 'export default (event) => event.data',
  events: [],
}

async function refunds(host: FunctionHost, bus: Awaited<ReturnType<typeof openHost>>['bus']) {
  const { events } = await bus.list({ type: 'nexus.dead-letter.charge', order: 'asc' })
  const runs = await Promise.all(events.map(({ event }) => host.runs(event)))
  return runs.flat().map((run) => run && { status: run.status, value: run.value })
}

describe('a function that hears of failures', () => {
  it('gets the dead letter of the other function as an event', async () => {
    const { host, bus } = await openHost([charge, refund])
    const sent = { id: 'e1', source: '/shop', type: 'order', data: { n: 1 } }
    await bus.publish(sent)
    await expect
      .poll(() => refunds(host, bus))
      .toEqual([
        {
          status: 'succeeded',
          value: {
            function: 'charge',
            event: (await bus.get('e1'))!.event,
            attempts: 2,
            error: expect.objectContaining({
              code: 'EXECUTION_ERROR',
              name: 'RangeError',
              message: 'no 1',
            }),
          },
        },
      ])
    const [letter] = (await bus.list({ type: 'nexus.dead-letter.charge' })).events
    expect(letter!.event.source).toBe('/functions/charge')
  })

  it('hears again of an event that was redriven in vain', async () => {
    const { host, bus } = await openHost([{ ...charge, retry: once }, refund])
    await bus.publish({ type: 'order', data: { n: 1 } })
    await expect.poll(() => refunds(host, bus)).toHaveLength(1)
    await bus.deadLetters.redrive({ group: 'charge' })
    await expect.poll(() => refunds(host, bus)).toHaveLength(2)
  })

  it('is told of a large event without its data', async () => {
    const { host, bus } = await openHost([{ ...charge, retry: once }, refund])
    await bus.publish({ type: 'order', id: 'large', data: { n: 1, text: 'x'.repeat(524_288) } })
    await expect.poll(() => refunds(host, bus)).toMatchObject([{ status: 'succeeded' }])
    const [{ value }] = (await refunds(host, bus)) as unknown as [
      { value: Record<string, unknown> },
    ]
    expect(value).toMatchObject({ dataOmitted: true, event: { id: 'large', type: 'order' } })
    expect(value.event).not.toHaveProperty('data')
  })

  it('hears of an event that does not fit the schema', async () => {
    const { host, bus } = await openHost([{ ...charge, schema: { type: 'string' } }, refund])
    await bus.publish({ type: 'order', data: { n: 1 } })
    await expect
      .poll(() => refunds(host, bus))
      .toMatchObject([{ value: { attempts: 1, error: { code: 'SCHEMA_MISMATCH' } } }])
  })

  it('hears from then on when a reload names it', async () => {
    const { onFailure: _, ...silent } = { ...charge, retry: once }
    const { host, bus } = await openHost([silent, refund])
    await bus.publish({ type: 'order', data: { n: 1 } })
    await expect.poll(async () => (await bus.deadLetters.list()).total).toBe(1)
    await host.bind([{ ...charge, retry: once }, refund])
    await bus.publish({ type: 'order', data: { n: 2 } })
    await expect
      .poll(() => refunds(host, bus))
      .toMatchObject([{ value: { event: { data: { n: 2 } } } }])
  })

  it.each<[string, FunctionDefinition[], RegExp]>([
    [
      'is not there',
      [charge],
      /charge: onFailure: expected the name of another function, got refund/,
    ],
    ['is itself', [{ ...charge, onFailure: 'charge' }], /without an onFailure of its own/],
    ['fails to another', [charge, { ...refund, onFailure: 'charge' }], /for ever, got refund/],
  ])('is refused where it %s', async (_, definitions, message) => {
    await expect(openHost(definitions)).rejects.toThrow(message)
  })

  it('is not removed while another function names it', async () => {
    const { host } = await openHost([charge, refund])
    await expect(host.remove('refund')).rejects.toThrow(/onFailure/)
    expect(host.names).toEqual(['charge', 'refund'])
  })
})
