import type { EventBus } from '../../event-bus.js'
import type { SubscribeOptions } from '../../options.js'
import { FaultProxy } from '../faults/fault-proxy.js'
import { collect, eventually } from '../harness/harness.js'
import type { BackendServer } from '../store-backend.js'
import { alone, type ServerCase, withServer } from './server-case.js'

const KINDS: readonly [kind: string, options: Partial<SubscribeOptions>][] = [
  ['without order', {}],
  ['in order', { orderingKey: 'subject' }],
]
/** Which of the two processes is late. */
const LATE = ['older', 'newer'] as const
/** More packets than a process sends to join a group, or to look for what the server lost and to repair it. */
const MOST_PACKETS = { join: 60, repair: 25 }

/**
 * Processes with different patterns change one group at the same time. One of them is stopped before each of its requests
 * in turn, while the other one does all of its work.
 */
export const joiningCases: readonly ServerCase[] = KINDS.flatMap(([kind, options]) =>
  LATE.flatMap((late) => [
    withServer(
      `what only a newer process asks for reaches it though the ${late} one joins late, ${kind}`,
      async (open, server) => {
        const prompt = await open()
        await throughProxies(server, 1, async ([proxy]) => {
          const delayed = await open(proxy!.port)
          const newer = late === 'older' ? prompt : delayed
          for (let packets = 0, reached = true; reached && packets < MOST_PACKETS.join; packets++) {
            const [a, b, group] = [`a${packets}`, `b${packets}`, `g${packets}`]
            const joins = (bus: EventBus) =>
              collect(bus, bus === newer ? [a, b] : a, { group, ackWaitMs: 2_000, ...options })
            const publish = () => prompt.publish({ type: b, id: b, subject: 'k' })
            const stalled = proxy!.stallAfter(packets).then(() => true)
            const joining = joins(delayed)
            reached = await Promise.race([stalled, joining.then(() => false)])
            const joined = await joins(prompt)
            if (late === 'older') await publish()
            proxy!.flow()
            const { inbox } = late === 'older' ? joined : await joining
            if (late === 'newer') await publish()
            await eventually(`the event behind ${packets} packets`, async () =>
              inbox.ids.includes(b),
            )
            await (await joining).subscription.close()
            await joined.subscription.close()
          }
        })
      },
    ),

    alone(
      `what only a newer process asks for reaches it though the ${late} one repairs an emptied server late, ${kind}`,
      async (open, server) => {
        const prompt = await open()
        await throughProxies(server, MOST_PACKETS.repair, async (proxies) => {
          const inboxes = await Promise.all(
            proxies.map(async ({ port }, n) => {
              const delayed = await open(port)
              const group = { group: `g${n}`, ackWaitMs: 2_000, ...options }
              const older = await collect(late === 'older' ? delayed : prompt, `a${n}`, group)
              const newer = await collect(
                late === 'newer' ? delayed : prompt,
                [`a${n}`, `b${n}`],
                group,
              )
              return { older, newer }
            }),
          )
          const said = new Promise<void>((resolve) => prompt.once('repaired', resolve))
          for (const [n, proxy] of proxies.entries()) void proxy.stallAfter(n)
          await server.empty()
          await said
          const types = proxies.map((_, n) => `b${n}`)
          const isPublished = () =>
            prompt.publishBatch(types.map((type) => ({ type, id: type, subject: 'k' }))).then(
              () => true,
              () => false,
            )
          await eventually('the events to be published', isPublished)
          for (const proxy of proxies) proxy.flow()
          for (const [n, { newer }] of inboxes.entries()) {
            await eventually(`the event behind ${n} packets`, async () =>
              newer.inbox.ids.includes(`b${n}`),
            )
          }
        })
      },
    ),
  ]),
)

async function throughProxies(
  { port }: BackendServer,
  count: number,
  body: (proxies: readonly FaultProxy[]) => Promise<void>,
): Promise<void> {
  const proxies = await Promise.all(Array.from({ length: count }, () => FaultProxy.start(port)))
  try {
    await body(proxies)
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()))
  }
}
