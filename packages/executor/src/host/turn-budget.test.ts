import { expect, it } from 'vitest'
import { MAX_STEPS } from '../values/value-limits.js'
import { TurnBudget } from './turn-budget.js'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('gives at once what fits into this turn, and the rest one turn later', async () => {
  const turns = new TurnBudget()
  const done: string[] = []
  expect(turns.take(1, MAX_STEPS / 2)).toBeUndefined()
  expect(turns.take(1, MAX_STEPS / 2)).toBeUndefined()
  void turns.take(1, MAX_STEPS / 10)?.then(() => done.push('next'))
  void turns.take(1, MAX_STEPS)?.then(() => done.push('after that'))
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['next'])
  await nextTurn()
  expect(done).toEqual(['next', 'after that'])
})

it('serves the calls in turn, so that one with much to build delays the others little', async () => {
  const turns = new TurnBudget()
  const done: number[] = []
  turns.take(1, MAX_STEPS)
  for (const callId of [1, 1, 1, 2]) {
    void turns.take(callId, MAX_STEPS)?.then(() => done.push(callId))
  }
  await nextTurn()
  await nextTurn()
  expect(done).toEqual([1, 2])
})

it('charges nothing for what is no longer wanted', async () => {
  const turns = new TurnBudget()
  const done: number[] = []
  turns.take(1, MAX_STEPS)
  for (let i = 0; i < 100; i++) void turns.take(1, MAX_STEPS, () => false)?.then(() => done.push(i))
  await nextTurn()
  expect(done).toHaveLength(100)
})

it('lets what is larger than a turn have a turn of its own', async () => {
  const turns = new TurnBudget()
  expect(turns.take(1, MAX_STEPS * 2)).toBeUndefined()
  await nextTurn()
  expect(turns.take(1, 1)).toBeUndefined()
})
