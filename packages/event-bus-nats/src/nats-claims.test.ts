import type { JsMsg } from '@nats-io/jetstream'
import { expect, it, vi } from 'vitest'
import { NatsAgain } from './nats-again.js'
import { NatsClaims } from './nats-claims.js'
import type { NatsHighWater } from './nats-high-water.js'
import { NatsNames } from './nats-names.js'
import type { NatsPublisher } from './nats-publisher.js'
import type { DeliveryState, NatsState } from './nats-state.js'

const names = new NatsNames('n')
const event = { specversion: '1.0', id: 'x', source: '/', type: 'a', time: '' }

/** What becomes of the message of a first replay, where this is the record of the event. */
async function firstReplay(record: Partial<DeliveryState>) {
  const state = {
    names,
    delivery: async () => record,
    newest: async () => ({ json: () => record }),
    event: async () => ({
      data: new TextEncoder().encode(JSON.stringify(event)),
      time: new Date(),
    }),
  } as unknown as NatsState
  const claims = new NatsClaims(
    { name: 'g', patterns: ['a'], start: 'now', ordered: false, ackWaitMs: 30_000 },
    {
      state,
      again: new NatsAgain(state, {} as NatsPublisher, false),
      highWater: {} as NatsHighWater,
      onError: (error) => expect.fail(String(error)),
    },
  )
  const ack = vi.fn()
  const message = {
    seq: 1,
    subject: names.againOf('g', 7),
    info: { stream: names.again, deliveryCount: 1, deliverySequence: 1 },
    json: () => ({ sequence: 7, replay: 1 }),
    ack,
  }
  const claim = await claims.toClaim(message as unknown as JsMsg)
  return { claim, acked: ack.mock.calls.length > 0 }
}

const settled = { status: 'succeeded', updatedAtMs: 0, handedOut: 1 } as const

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
