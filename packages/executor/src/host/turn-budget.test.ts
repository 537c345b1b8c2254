import { expect, it } from 'vitest'
import { TURN_STEPS, TurnBudget } from './turn-budget.js'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('gives at once what fits into this turn, and the rest one turn later', async () => {
  const turns = new TurnBudget()
  const done: string[] = []
  for (let i = 0; i < 4; i++) expect(turns.take(1, TURN_STEPS / 4)).toBeUndefined()
  void turns.take(1, TURN_STEPS / 10)?.then(() => done.push('next'))
  void turns.take(1, TURN_STEPS)?.then(() => done.push('after that'))
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['next'])
  await nextTurn()
  expect(done).toEqual(['next', 'after that'])
})

it('serves the calls in turn, so that one with much to build delays the others little', async () => {
  const turns = new TurnBudget()
  const done: number[] = []
  for (const callId of [1, 1, 1, 2]) {
    void turns.take(callId, TURN_STEPS)?.then(() => done.push(callId))
  }
  await nextTurn()
  await nextTurn()
  expect(done).toEqual([1, 2])
})

it('lets nothing overtake what waits, however little it needs', async () => {
  const turns = new TurnBudget()
  const done: string[] = []
  void turns.take(1, TURN_STEPS)?.then(() => done.push('first'))
  const small = turns.take(2, 1)
  expect(small).toBeInstanceOf(Promise)
  void small?.then(() => done.push('small'))
  await nextTurn()
  await nextTurn()
  expect(done).toEqual(['first', 'small'])
})

it('charges nothing for what is no longer wanted', async () => {
  const turns = new TurnBudget()
  const done: number[] = []
  turns.take(1, TURN_STEPS)
  for (let i = 0; i < 100; i++)
    void turns.take(1, TURN_STEPS, () => false)?.then(() => done.push(i))
  await nextTurn()
  expect(done).toHaveLength(100)
})

it('begins what is large in a turn of its own, though this one has room', async () => {
  const turns = new TurnBudget()
  const done: string[] = []
  void turns.take(1, TURN_STEPS / 4 + 1)?.then(() => done.push('large'))
  void turns.take(2, TURN_STEPS * 2)?.then(() => done.push('larger than a turn'))
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['large'])
  await nextTurn()
  expect(done).toEqual(['large', 'larger than a turn'])
  await nextTurn()
  expect(turns.take(1, 1)).toBeUndefined()
})

it.each([
  100,
  777,
  TURN_STEPS / 10,
  TURN_STEPS / 4,
  TURN_STEPS / 2 + 1,
  TURN_STEPS,
  TURN_STEPS * 2,
])(
  'starts no more in one turn than it has steps for, or one thing: %d steps each',
  async (steps) => {
    const turns = new TurnBudget()
    const count = Math.ceil((3 * TURN_STEPS) / steps)
    let started = 0
    let left = count
    const start = () => {
      started += steps
      left--
    }
    const most = Math.max(steps, TURN_STEPS)
    let longest = 0
    for (let i = 0; i < count; i++) {
      const turn = turns.take(i % 5, steps)
      if (turn) void turn.then(start)
      else start()
    }
    while (left > 0) {
      longest = Math.max(longest, started)
      started = 0
      await nextTurn()
    }
    expect(Math.max(longest, started)).toBeLessThanOrEqual(most)
  },
)
