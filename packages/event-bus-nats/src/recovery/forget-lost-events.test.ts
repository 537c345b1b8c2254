import type { JetStreamManager } from '@nats-io/jetstream'
import { expect, it } from 'vitest'
import { Names } from '../streams/names.js'
import type { State } from '../streams/state.js'
import { forgetLostEvents } from './forget-lost-events.js'

it('keeps the redeliveries that another process writes of new events meanwhile', async () => {
  let lastSequence = 7
  const purged: unknown[] = []
  const state = {
    names: new Names('n'),
    revised: async () => ({ value: 'before', revision: 3 }),
    // Another process goes on with the new stream from here.
    replace: async () => {
      lastSequence = 9
      return 4
    },
    remove: async () => {},
    groups: async () => [],
  } as unknown as State
  const manager = {
    streams: {
      info: async () => ({ created: 'now', state: { last_seq: lastSequence } }),
      purge: async (_: string, request: unknown) => void purged.push(request),
    },
  } as unknown as JetStreamManager
  await forgetLostEvents(state, manager, 0)
  expect(purged).toEqual([{ seq: 8 }])
})
