import { setImmediate } from 'node:timers/promises'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { turnOver, untilTurn } from './turns.js'

/** The time of this test: each piece of work takes some of it. */
let now = 0
beforeEach(async () => {
  now += 1000
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => clock.mockRestore())
  await untilTurn()
})

it('a turn lasts 10 ms, and the next one comes when everything else had its own', async () => {
  now += 9
  expect(turnOver()).toBeUndefined()
  now += 1
  const seen: string[] = []
  void setImmediate().then(() => seen.push('another immediate'))
  setTimeout(() => seen.push('a timer'), 0)
  const wait = turnOver()
  expect(wait).toBeDefined()
  await wait
  expect(turnOver()).toBeUndefined()
  expect(seen).toContain('another immediate')
})

it('builds that run together share each turn, in the order in which they wait', async () => {
  const turns: string[][] = []
  let turn: string[] = []
  let done = false
  void (async () => {
    while (!done) {
      await setImmediate()
      turns.push(turn)
      turn = []
    }
  })()
  const build = async (name: string) => {
    for (let piece = 0; piece < 20; piece++) {
      await untilTurn()
      now += 5
      turn.push(name)
    }
  }
  await Promise.all(['a', 'b', 'c'].map(build))
  done = true
  turns.push(turn)
  // Two pieces of 5 ms fill a turn of 10; when its time is over, each build may be about to do one more.
  expect(Math.max(...turns.map((pieces) => pieces.length))).toBeLessThanOrEqual(2 + 3)
  const order = turns.flat()
  for (const name of ['a', 'b', 'c']) {
    expect(order.filter((other) => other === name)).toHaveLength(20)
    // None waits until another is done.
    expect(order.indexOf(name)).toBeLessThan(8)
    expect(order.lastIndexOf(name)).toBeGreaterThan(40)
  }
})
