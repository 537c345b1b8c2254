import { EventBusError, matchesPattern, type ReplayQuery } from '@nexus/event-bus'
import type { EventMessage, Events } from '../streams/events.js'
import type { KnownGroup, State } from '../streams/state.js'
import type { EventLookup } from './event-lookup.js'

/** Events read at once. */
const WINDOW = 100

/**
 * The events that a replay asks for.
 *
 * @throws EventBusError `NOT_FOUND`
 */
export async function* replayedEvents(
  query: ReplayQuery,
  events: Events,
  lookup: EventLookup,
): AsyncGenerator<EventMessage> {
  if ('id' in query) {
    const event = await lookup.find(query.id, query.source)
    if (event === undefined) {
      throw new EventBusError('NOT_FOUND', `id: expected a stored event, got ${query.id}`, {
        details: { id: query.id },
      })
    }
    yield event
    return
  }
  const range = await events.range()
  const { first, last } = range
  const until = query.until === undefined ? last : (await lookup.firstAtOrAfter(query.until)) - 1
  let at = query.since === undefined ? first : await lookup.firstAtOrAfter(query.since)
  for (; at <= until; at += WINDOW) {
    for (const event of await events.window(range, at, until, WINDOW)) {
      if (matchesPattern(query.type ?? '>', event.type)) yield event
    }
  }
}

/**
 * The groups that a replay asks for, all where it names none.
 *
 * @throws EventBusError `NOT_FOUND`
 */
export async function groupsNamed(
  state: State,
  names: readonly string[] | undefined,
): Promise<KnownGroup[]> {
  const groups = await state.groups()
  const missing = names?.find((name) => !groups.some((group) => group.name === name))
  if (missing !== undefined) {
    throw new EventBusError('NOT_FOUND', `groups: expected names of known groups, got ${missing}`, {
      details: { group: missing },
    })
  }
  return groups.filter(({ name }) => names === undefined || names.includes(name))
}
