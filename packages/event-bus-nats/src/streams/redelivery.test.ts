import { JetStreamApiError } from '@nats-io/jetstream'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Publisher, WRONG_LAST_SEQUENCE } from '../connection/publisher.js'
import { Names } from './names.js'
import { Redelivery, type RedeliveryMessage } from './redelivery.js'
import type { DeliveryState, State } from './state.js'

const dueAtMs = Date.parse('9999-01-01T00:00:00Z')
const later: RedeliveryMessage = { sequence: 7, eventAtMs: 0, replay: 0, dueAtMs }

describe('an event that is to be delivered again', () => {
  /** What was written, in this order. */
  let written: unknown[]
  let taken: string[]
  let fault: Error | undefined

  beforeEach(() => {
    written = []
    taken = []
    fault = undefined
  })

  function redelivery(schedules: boolean): Redelivery {
    const publish: Publisher['publish'] = async (subject, payload, options) => {
      if (fault !== undefined) throw fault
      if (options?.lastSubjectSequence === 0 && taken.includes(subject)) {
        throw new JetStreamApiError({ code: 400, err_code: WRONG_LAST_SEQUENCE, description: '' })
      }
      written.push([subject, options?.headers ?? JSON.parse(payload).status])
      return { sequence: 1, duplicate: false }
    }
    const state = {
      names: new Names('n'),
      replace: async (subject: string, record: DeliveryState) => {
        written.push([subject, record.status])
        return 1
      },
      delivery: async () => ({ revision: 0 }),
    } as unknown as State
    return new Redelivery(state, { publish } as Publisher, { now: () => 0 }, schedules)
  }

  it('has its record first: without it the message would be outdated', async () => {
    await redelivery(true).request('g', { sequence: 7, time: new Date(0) }, 'replay')
    expect(written).toEqual([
      ['n.delivery.g.7', 'pending'],
      ['n.redelivery.g.7', undefined],
    ])
  })

  it('is postponed before it is recorded: a record alone would not be delivered', async () => {
    await redelivery(false).ensure('g', later)
    expect(written).toEqual([
      ['n.redelivery.g.7', undefined],
      ['n.delivery.g.7', 'pending'],
    ])
  })

  it('is not handed out by the server until then where that is possible', async () => {
    await redelivery(true).ensure('g', later)
    const headers = {
      'Nats-Schedule': '@at 9999-01-01T00:00:00.000Z',
      'Nats-Schedule-Target': 'n.redelivery.g.7',
    }
    expect(written).toEqual([
      ['n.delayed.g.7', headers],
      ['n.delivery.g.7', 'pending'],
    ])
  })

  it('is postponed once, and recorded by the process that follows one that died', async () => {
    taken = ['n.redelivery.g.7']
    await redelivery(false).ensure('g', later)
    expect(written).toEqual([['n.delivery.g.7', 'pending']])
  })

  it('is not recorded as waiting when it was handled meanwhile', async () => {
    taken = ['n.delivery.g.7']
    await redelivery(false).ensure('g', later)
    expect(written).toEqual([['n.redelivery.g.7', undefined]])
  })

  it('is not recorded when it could not be postponed', async () => {
    fault = new Error('no answer')
    await expect(redelivery(true).ensure('g', later)).rejects.toBe(fault)
    expect(written).toEqual([])
  })
})
