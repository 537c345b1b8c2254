import assert from 'node:assert/strict'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { eventually } from '../harness/harness.js'
import { FaultProxy } from './fault-proxy.js'

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
 * A fault can make the event that is handled come again: it runs one at a time, so this many may be handled twice. The
 * stats are asked while the server is away, which is one fault more.
 */
const REPEATED_BY_FAULT = 2

/** Coming back takes a lapsed lease or claim at worst, and longer on a machine that is busy. */
const DEADLINE_MS = 60_000

/**
 * Stalls, drops and resets the connections of a bus that publishes and handles, and checks that it comes
 * back by itself each time, that every acked event was handled, in order, and none more often than the faults explain.
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
  const publishing = async (): Promise<void> => {
    const before = acked.length
    await eventually('publishing to go on', async () => acked.length > before + 20, DEADLINE_MS)
  }
  for (const fault of faults) {
    await publishing()
    fault()
    await new Promise((resolve) => setTimeout(resolve, plan.faultMs))
    proxy.flow()
  }
  await publishing()
  await tellsStatsWhileAway(bus, proxy)
  await publishing()
  stop = true
  await publisher
  const wanted = acked.length
  await eventually(
    'all acked events to be handled',
    async () => new Set(handled).size >= wanted,
    DEADLINE_MS,
  )
  const firsts = [...new Set(handled)]
  assert.deepEqual(
    firsts,
    firsts.toSorted((a, b) => a - b),
  )
  const repeated = handled.length - firsts.length
  assert.ok(
    repeated <= REPEATED_BY_FAULT * (faults.length + 1),
    `expected each event once but for those that a fault interrupted, got ${repeated} repeated: ${handled.filter((n, i) => handled.indexOf(n) !== i).join()}`,
  )
  assert.ok(
    disconnects >= 2,
    `expected to be told of the lost connections, was told ${disconnects} times`,
  )
  await bus.close({ drainTimeoutMs: 1_000 })
  await proxy.close()
}

async function tellsStatsWhileAway(bus: EventBus, proxy: FaultProxy): Promise<void> {
  const connected = async (): Promise<boolean> => (await bus.getStats()).store.connected
  await eventually('stats to know the server', connected, DEADLINE_MS)
  proxy.reset()
  await eventually('stats to miss the server', async () => !(await connected()), DEADLINE_MS)
  const { store } = await bus.getStats()
  assert.equal(store.connected, false)
  assert.ok(store.events > 0, 'expected the last known number of events')
  assert.deepEqual(
    store.groups.map(({ group }) => group),
    ['faults'],
  )
  proxy.flow()
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
