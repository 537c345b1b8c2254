import assert from 'node:assert/strict'
import { EventBus } from '../event-bus.js'
import type { EventStore } from '../event-store.js'
import { FaultProxy } from './fault-proxy.js'
import { eventually } from './harness.js'

/** What the network test needs of a backend. */
export interface NetworkFaultPlan {
  /** Where the server listens on this machine. */
  port: number
  /** A store that reaches the server through this port. */
  openStore(port: number): EventStore
  /** For how long each fault lasts. */
  faultMs: number
}

/**
 * Stalls, drops and resets the connections of a bus that publishes and handles, and checks that it comes
 * back by itself each time and that every acked event was handled, in order.
 */
export async function surviveNetworkFaults(plan: NetworkFaultPlan): Promise<void> {
  const proxy = await FaultProxy.start(plan.port)
  const bus = await EventBus.open({ store: plan.openStore(proxy.port) })
  const handled: number[] = []
  const acked: number[] = []
  let stop = false
  let disconnects = 0
  bus.on('disconnected', () => {
    disconnects += 1
  })
  const subscription = bus.subscribe(
    'fault',
    ({ event }) => {
      handled.push(event.data as number)
    },
    { group: 'faults', orderingKey: 'subject', ackWaitMs: 2_000 },
  )
  await subscription.ready
  const publisher = publishUntil(bus, acked, () => stop)
  const faults = [
    () => proxy.drop(),
    () => proxy.reset(),
    () => proxy.stall(),
    () => proxy.reset(),
    () => proxy.stall(),
  ]
  for (const fault of faults) {
    const before = acked.length
    await eventually('publishing to go on', async () => acked.length > before + 20)
    fault()
    await new Promise((resolve) => setTimeout(resolve, plan.faultMs))
    proxy.flow()
  }
  const before = acked.length
  await eventually('publishing to go on', async () => acked.length > before + 20)
  stop = true
  await publisher
  const wanted = acked.length
  await eventually('all acked events to be handled', async () => new Set(handled).size >= wanted)
  const firsts = [...new Set(handled)]
  assert.deepEqual(
    firsts,
    firsts.toSorted((a, b) => a - b),
  )
  assert.ok(
    disconnects >= 2,
    `expected to be told of the lost connections, was told ${disconnects} times`,
  )
  await bus.close({ drainTimeoutMs: 1_000 })
  await proxy.close()
}

async function publishUntil(bus: EventBus, acked: number[], stopped: () => boolean): Promise<void> {
  for (let n = 0; !stopped(); n++) {
    while (!(await published(bus, n))) await new Promise((resolve) => setTimeout(resolve, 20))
    acked.push(n)
  }
}

async function published(bus: EventBus, n: number): Promise<boolean> {
  try {
    await bus.publish({ type: 'fault', id: `fault-${n}`, subject: 'one', data: n })
    return true
  } catch {
    return false
  }
}
