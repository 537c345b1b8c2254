import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('host calls that are queued, %s,', (_, runtime) => {
  let ran = 0
  runtime.extend('host', { count: () => ++ran })

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
