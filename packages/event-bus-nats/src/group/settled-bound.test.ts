import { JetStreamApiError } from '@nats-io/jetstream'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Publisher, WRONG_LAST_SEQUENCE } from '../connection/publisher.js'
import { Names } from '../streams/names.js'
import type { State } from '../streams/state.js'
import { SettledBound } from './settled-bound.js'

describe('the settled bound of a group', () => {
  let marks: number[]
  /** What the next writes come to instead. */
  let faults: ('refused' | 'answer lost')[]

  beforeEach(() => {
    marks = []
    faults = []
  })

  /** One process; all share the subject, whose sequence is the count of its messages. */
  function process(): SettledBound {
    const publish: Publisher['publish'] = async (_, payload, options) => {
      const fault = faults.shift()
      if (fault === 'refused') throw new Error('no answer')
      if (options?.lastSubjectSequence !== marks.length) {
        throw new JetStreamApiError({ code: 400, err_code: WRONG_LAST_SEQUENCE, description: '' })
      }
      marks.push(Number(payload))
      if (fault === 'answer lost') throw new Error('no answer')
      return { sequence: marks.length, duplicate: false }
    }
    const newest = async () =>
      marks.length === 0 ? undefined : { seq: marks.length, json: () => marks.at(-1) }
    const state = { names: new Names('test'), newest } as unknown as State
    return new SettledBound(state, { publish } as Publisher, 'g')
  }

  it('is written once for a thousand events, and at once', async () => {
    const mark = process()
    const raised = mark.raise(1)
    expect(marks).toEqual([1_001])
    await raised
    for (let sequence = 2; sequence <= 1_001; sequence++) {
      expect(mark.raise(sequence)).toBe(undefined)
    }
    await mark.raise(1_002)
    expect(marks).toEqual([1_001, 2_002])
    expect(await process().load()).toBe(2_002)
  })

  it('is waited for by all that it has to cover', async () => {
    const mark = process()
    await Promise.all([mark.raise(1), mark.raise(900), mark.raise(5_000)])
    expect(marks).toEqual([1_001, 6_000])
  })

  it('is never lowered by a process that knows an older one', async () => {
    const [one, other] = [process(), process()]
    await one.raise(7_000)
    await other.raise(10)
    expect(marks).toEqual([8_000])
    await other.raise(8_001)
    await one.raise(9_500)
    expect(marks).toEqual([8_000, 9_001, 10_500])
  })

  it.each(['refused', 'answer lost'] as const)('survives a write that fails: %s', async (fault) => {
    const mark = process()
    await mark.raise(1)
    faults.push(fault)
    await expect(mark.raise(1_500)).rejects.toThrow('no answer')
    await mark.raise(1_500)
    await mark.raise(1_400)
    expect(marks).toEqual([1_001, 2_500])
  })
})
