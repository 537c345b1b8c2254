import type { CloudEvent, EventBus, StoredEvent } from '@nexus/event-bus'
import type { SuspensionWait } from '@nexus/executor'
import { isWaitedFor } from './event-wait.js'
import { waitsGroup } from './waits-group.js'

/** From where in the log the events of a wait count. */
export interface WaitPosition {
  /** Events up to here came before the part of the call that asked. */
  after: number
  /** Epoch milliseconds: what was stored earlier came before the handler asked. */
  since: number
  /** Epoch milliseconds: what was stored earlier was looked at, and is not waited for. */
  lookFrom: number
}

/** Which event: its id and its source. */
export type EventKey = Pick<CloudEvent, 'id' | 'source'>

/** Clocks of machines and servers differ by less than this, and what is being stored is there before this is over. */
const MARGIN_MS = 10_000
/** Where others publish as well, times come from the clock of their server. */
const SKEW_MS = 1_000
const PAGE = 100

/** The position of a wait that a handler asked for in a part that this delivery began. */
export function positionOf(
  bus: EventBus,
  { since = 0 }: SuspensionWait,
  delivery: { sequence: number },
): WaitPosition {
  const from = since - (bus.isShared ? SKEW_MS : 0)
  return { after: delivery.sequence, since: from, lookFrom: from }
}

/** Whether an event came after the handler asked. */
export function isBehind(
  { after, since }: Pick<WaitPosition, 'after' | 'since'>,
  { sequence, publishedAt }: Pick<StoredEvent, 'sequence' | 'publishedAt'>,
): boolean {
  return sequence > after && Date.parse(publishedAt) >= since
}

/** The first event in the log that a wait is for and that is due. */
export async function findEvent(
  bus: EventBus,
  functionName: string,
  wait: SuspensionWait,
  position: WaitPosition,
): Promise<EventKey | undefined> {
  for await (const { event } of candidates(bus, wait, position)) {
    const details = await bus.get(event.id, event.source)
    const mine = details?.deliveries.find(({ group }) => group === waitsGroup(functionName))
    // One that is published for later comes by itself.
    const isForLater = mine?.status === 'pending' && mine.nextAttemptAt !== undefined
    if (!isForLater) return { id: event.id, source: event.source }
  }
  return undefined
}

/** The position with what was looked at by now, so that no part of a call looks at the same events again. */
export async function lookedAt(
  bus: EventBus,
  wait: SuspensionWait,
  position: WaitPosition,
): Promise<WaitPosition> {
  const begunAt = Date.now()
  for await (const { publishedAt } of candidates(bus, wait, position)) {
    return { ...position, lookFrom: Math.max(position.lookFrom, Date.parse(publishedAt)) }
  }
  return { ...position, lookFrom: Math.max(position.lookFrom, begunAt - MARGIN_MS) }
}

async function* candidates(
  bus: EventBus,
  wait: SuspensionWait,
  position: WaitPosition,
): AsyncGenerator<StoredEvent> {
  const since = new Date(Math.max(0, position.lookFrom))
  let cursor: string | undefined
  do {
    const page = await bus.list({ type: wait.name, since, order: 'asc', limit: PAGE, cursor })
    for (const stored of page.events) {
      if (isBehind(position, stored) && isWaitedFor(stored.event, wait)) yield stored
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}
