import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

describe.each([
  ['inline', 0],
  ['on a thread', 1],
])('the answer to a call that is over, %s,', (_, threads) => {
  it('does not become the answer of the next call, though both have the same number in the guest', async () => {
    const answers = new Map<string, (value: string) => void>()
    const runtime = openRuntime({ threads, maxInstances: 1 }).extend('host', {
      ask: (who: string) => new Promise<string>((settle) => answers.set(who, settle)),
    })
    const asking = handler('return ctx.call("host", "ask", event)')
    const ask = (event: string, timeoutMs: number) =>
      runtime.executeHandler(asking, { event, capabilities: ['ext:host'] }, timeoutMs)

    expect((await ask('first', 100)).error?.code).toBe('TIMEOUT')
    const second = ask('second', 20_000)
    while (!answers.has('second')) await new Promise(setImmediate)
    answers.get('first')?.('for the first')
    // The answer to a third call shows that the late one has been through.
    const third = openRuntime({ threads: 0 })
    await third.executeHandler(handler('await new Promise((r) => setTimeout(r, 20))'), { event: 1 })
    answers.get('second')?.('for the second')
    expect((await second).value).toBe('for the second')
  })

  it('does not keep the next call waiting, nor end it', async () => {
    const answers: (() => void)[] = []
    const runtime = openRuntime({ threads, maxInstances: 1 }).extend('host', {
      slow: () => new Promise<void>((settle) => answers.push(settle)),
    })
    const leaving = handler('ctx.call("host", "slow"); return event')
    for (let n = 0; n < 5; n++) {
      const result = await runtime.executeHandler(leaving, { event: n, capabilities: ['ext:host'] })
      expect(result.value).toBe(n)
    }
    for (const answer of answers) answer()
    const result = await runtime.executeHandler(leaving, {
      event: 'last',
      capabilities: ['ext:host'],
    })
    expect(result.value).toBe('last')
  })
})
