import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('host calls that are queued, %s,', (_, runtime) => {
  let ran = 0
  const host = { take: () => {} }
  runtime.extend('host', { count: () => ++ran, take: () => host.take() })

  it('are dropped unread when their call is over', async () => {
    ran = 0
    // Each costs most of a turn: the first runs at once, and the rest would take one turn each.
    const { value } = await runtime.executeHandler(
      handler(`const values = new Array(130_000).fill(1)
        for (let i = 0; i < 10; i++) ctx.call('host', 'count', values)
        return 'over'`),
      { event: null, capabilities: ['ext:host'] },
      60_000,
    )
    expect(value).toBe('over')
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    expect(ran).toBeLessThan(10)
  })

  it.each([
    ['long texts', '"x".repeat(400_000)', 4],
    ['bytes', 'new Uint8Array(300_000)', 4],
    ['texts with escapes', '"\\u0001".repeat(60_000)', 4],
    ['many numbers', 'new Array(40_000).fill(1)', 4],
    ['short texts', '"x".repeat(60_000)', 25],
  ])('are built a few in each turn of the loop: %s', async (_what, value, most) => {
    let inTurn = 0
    let longest = 0
    let ran = 0
    let over = false
    const look = () => {
      longest = Math.max(longest, inTurn)
      inTurn = 0
      if (!over) setImmediate(look)
    }
    host.take = () => {
      ran++
      inTurn++
    }
    look()
    await runtime
      .executeHandler(
        handler(`const value = ${value}
          await Promise.all(Array.from({ length: 30 }, () => ctx.call('host', 'take', value)))`),
        { event: null, capabilities: ['ext:host'] },
        60_000,
      )
      .finally(() => {
        over = true
      })
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThanOrEqual(most)
    expect(ran).toBe(30)
  })

  it('all run when their call awaits them', async () => {
    ran = 0
    const { value } = await runtime.executeHandler(
      handler(`const values = new Array(130_000).fill(1)
        return Promise.all(Array.from({ length: 5 }, () => ctx.call('host', 'count', values)))`),
      { event: null, capabilities: ['ext:host'] },
      60_000,
    )
    expect(value).toEqual([1, 2, 3, 4, 5])
  })
})

it('an event that is text already is handed over as it is', async () => {
  const runtime = openRuntime({ threads: 0 })
  const { value } = await runtime.executeHandler(handler('return event'), {
    eventJson: '{"a":[1,2,{"b":null}]}',
  })
  expect(value).toEqual({ a: [1, 2, { b: null }] })
})
