import type { JsMsg } from '@nats-io/jetstream'
import { expect, it, vi } from 'vitest'
import type { Publisher } from '../../connection/publisher.js'
import { NatsStates } from '../../state/nats-states.js'
import type { Events } from '../../streams/events.js'
import { Names } from '../../streams/names.js'
import { Redelivery } from '../../streams/redelivery.js'
import type { DeliveryState, State } from '../../streams/state.js'
import type { SettledBound } from '../settled-bound.js'
import { Claims } from './claims.js'

const names = new Names('n')
const clock = { now: () => 0 }
const event = { specversion: '1.0', id: 'x', source: '/', type: 'a', time: '' }

const storedAt = new Date(1_000)

/** What becomes of the message of a first replay, where this is the record of the event. */
async function firstReplay(record: Partial<DeliveryState>, askedOf = storedAt) {
  const state = {
    names,
    delivery: async () => ({ value: record, revision: 1 }),
    replace: async () => 2,
  } as unknown as State
  const events = {
    at: async () => ({ type: 'a', json: JSON.stringify(event), time: storedAt }),
  } as unknown as Events
  const claims = new Claims(
    { name: 'g', patterns: ['a'], start: 'now', ordered: false, ackWaitMs: 30_000 },
    'me',
    {
      state,
      events,
      states: new NatsStates(state),
      redelivery: new Redelivery(state, {} as Publisher, clock, false),
      settledBound: {} as SettledBound,
      clock,
      term: () => 0,
      readGroup: () => expect.fail('every pattern matches'),
      onPassedOn: async () => false,
      onError: (error) => expect.fail(String(error)),
    },
  )
  const ack = vi.fn()
  const message = {
    seq: 1,
    subject: names.redeliveryOf('g', 7),
    info: { stream: names.redelivery, deliveryCount: 1, deliverySequence: 1 },
    json: () => ({ sequence: 7, eventAtMs: askedOf.getTime(), replay: 1 }),
    ack,
  }
  const claim = await claims.look(message as unknown as JsMsg).toClaim()
  return { claim, acked: ack.mock.calls.length > 0 }
}

const settled = { status: 'succeeded', updatedAtMs: 0 } as const

it('replays an event whose first delivery was under way, and settled after the replay was asked for', async () => {
  const { claim, acked } = await firstReplay({ ...settled, attempts: 3, replays: 0 })
  expect(acked).toBe(false)
  expect(claim).toMatchObject({ sequence: 7, replay: 1, attempt: 1 })
})

it.each([
  ['this one', 1],
  ['a later one', 2],
])('does not replay an event again where %s was handled', async (_, replays) => {
  const { claim, acked } = await firstReplay({ ...settled, attempts: 1, replays })
  expect(acked).toBe(true)
  expect(claim).toBeUndefined()
})

it('leaves out a replay of an event of a stream that is gone, and had the same sequence', async () => {
  const { claim, acked } = await firstReplay({ attempts: 0, replays: 0 }, new Date(2_000))
  expect(acked).toBe(true)
  expect(claim).toBeUndefined()
})
