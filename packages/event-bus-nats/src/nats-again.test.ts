import { JetStreamApiError } from '@nats-io/jetstream'
import { beforeEach, describe, expect, it } from 'vitest'
import { type AgainMessage, NatsAgain } from './nats-again.js'
import { NatsNames } from './nats-names.js'
import { type NatsPublisher, WRONG_LAST_SEQUENCE } from './nats-publisher.js'
import type { DeliveryState, NatsState } from './nats-state.js'

const dueAtMs = Date.parse('9999-01-01T00:00:00Z')
const later: AgainMessage = { sequence: 7, replay: 0, dueAtMs }

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

  function again(schedules: boolean): NatsAgain {
    const publish: NatsPublisher['publish'] = async (subject, payload, options) => {
      if (fault !== undefined) throw fault
      if (options?.lastSubjectSequence === 0 && taken.includes(subject)) {
        throw new JetStreamApiError({ code: 400, err_code: WRONG_LAST_SEQUENCE, description: '' })
      }
      written.push([subject, options?.headers ?? JSON.parse(payload).handedOut])
      return { sequence: 1, duplicate: false }
    }
    const write = async (subject: string, record: DeliveryState) => {
      written.push([subject, record.handedOut])
    }
    const state = { names: new NatsNames('n'), write } as unknown as NatsState
    return new NatsAgain(state, { publish } as NatsPublisher, schedules)
  }

  it('has its record first: without it the message would be outdated', async () => {
    await again(true).deliver('g', { sequence: 7, replay: 1 })
    expect(written).toEqual([
      ['n.delivery.g.7', 0],
      ['n.again.g.7', undefined],
    ])
  })

  it('is postponed before it is recorded: with a record alone nobody would deliver it', async () => {
    await again(false).ensure('g', later)
    expect(written).toEqual([
      ['n.again.g.7', undefined],
      // A consumer gets it once before its time.
      ['n.delivery.g.7', 1],
    ])
  })

  it('is kept by the server until then where that is possible', async () => {
    await again(true).ensure('g', later)
    const headers = {
      'Nats-Schedule': '@at 9999-01-01T00:00:00.000Z',
      'Nats-Schedule-Target': 'n.again.g.7',
    }
    expect(written).toEqual([
      ['n.later.g.7', headers],
      ['n.delivery.g.7', 0],
    ])
  })

  it('is postponed once, and recorded by whoever comes after one who died', async () => {
    taken = ['n.again.g.7']
    await again(false).ensure('g', later)
    expect(written).toEqual([['n.delivery.g.7', 1]])
  })

  it('is not recorded as waiting when it was handled meanwhile', async () => {
    taken = ['n.delivery.g.7']
    await again(false).ensure('g', later)
    expect(written).toEqual([['n.again.g.7', undefined]])
  })

  it('is not recorded when it could not be postponed', async () => {
    fault = new Error('no answer')
    await expect(again(true).ensure('g', later)).rejects.toBe(fault)
    expect(written).toEqual([])
  })
})
