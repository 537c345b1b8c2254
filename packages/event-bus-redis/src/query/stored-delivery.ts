import { type Delivery, matchesPattern } from '@nexus/event-bus'
import type { KnownGroup } from '../group/known-groups.js'
import type { RedisEvent } from './events.js'

/** What a group did with an event, as a value of the hash `deliveries`. */
export type StoredDelivery = Omit<Delivery, 'group' | 'status' | 'updatedAt' | 'nextAttemptAt'> & {
  /** `lost`: the event was handled, and its record was lost with the key. */
  status: Delivery['status'] | 'lost'
  updatedAtMs: number
  nextAttemptAtMs?: number
  /** It was a dead letter. */
  purged?: true
  /** It waits for its first attempt since this was asked for. */
  asked?: 'replay' | 'redrive'
}

/** What a group did with an event; undefined where that is nothing, or was lost. */
export function toDelivery(
  { name, patterns, startAfter }: KnownGroup,
  { event, sequence, publishedAt }: RedisEvent,
  stored: string | undefined,
  claimed: boolean,
): Delivery | undefined {
  if (stored === undefined) {
    const wanted = patterns.some((pattern) => matchesPattern(pattern, event.type))
    if (!wanted || sequence <= startAfter) return undefined
    const status = claimed ? 'running' : 'pending'
    return { group: name, status, attempts: Number(claimed), replays: 0, updatedAt: publishedAt }
  }
  const found = JSON.parse(stored) as StoredDelivery
  const { updatedAtMs, nextAttemptAtMs, purged: _purged, asked: _asked, ...rest } = found
  const { status } = rest
  if (status === 'lost') return undefined
  // What is tried again in place is claimed between its attempts.
  return {
    group: name,
    ...rest,
    status: claimed && status === 'pending' ? 'running' : status,
    updatedAt: new Date(updatedAtMs).toISOString(),
    ...(nextAttemptAtMs !== undefined && {
      nextAttemptAt: new Date(nextAttemptAtMs).toISOString(),
    }),
  }
}
