import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { expect, it } from 'vitest'
import { Puller } from './puller.js'

/** A consumer whose pulls end at once, with these messages or errors. */
function consumerOf(pulls: (readonly string[] | Error)[]): Consumer {
  const fetch = async (): Promise<ConsumerMessages> => {
    const pull = pulls.shift()
    if (pull instanceof Error) throw pull
    const messages = {
      stop() {},
      async *[Symbol.asyncIterator]() {
        for (const subject of pull ?? []) yield { subject } as JsMsg
      },
    }
    return messages as unknown as ConsumerMessages
  }
  return { fetch } as unknown as Consumer
}

it('tells of the end of each pull, so that an idle consumer asks again', async () => {
  const seen: unknown[] = []
  const lost = new Error('lost')
  const consumer = consumerOf([[], ['a', 'b'], lost, ['c']])
  await new Promise<void>((resolve) => {
    const puller = new Puller(
      consumer,
      ({ subject }) => seen.push(subject),
      (error) => {
        seen.push(error)
        if (seen.length < 7) puller.want(10)
        else resolve()
      },
    )
    puller.want(10)
    // One pull at a time.
    puller.want(10)
  })
  expect(seen).toEqual([undefined, 'a', 'b', undefined, lost, 'c', undefined])
})
