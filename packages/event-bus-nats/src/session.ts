import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { openConnection } from './connection/open-connection.js'
import { Publisher } from './connection/publisher.js'
import { ServerClock } from './connection/server-clock.js'
import { unavailable } from './connection/unavailable.js'
import { GroupConsumers } from './group/group-consumers.js'
import { ServerConsumers } from './group/server-consumers.js'
import { SettledBound } from './group/settled-bound.js'
import { SkippedEvents } from './group/skipped-events.js'
import type { ResolvedNatsStoreOptions } from './nats-store-options.js'
import { DeadLetterQueries } from './query/dead-letter-queries.js'
import { Deliveries } from './query/deliveries.js'
import { EventLookup } from './query/event-lookup.js'
import { EventQuery } from './query/event-query.js'
import { NatsStates } from './state/nats-states.js'
import { addStreams, type ServerFeatures } from './streams/add-streams.js'
import { Appender } from './streams/appender.js'
import { Eraser } from './streams/eraser.js'
import { Events } from './streams/events.js'
import { IdIndex } from './streams/id-index.js'
import type { Names } from './streams/names.js'
import { Redelivery } from './streams/redelivery.js'
import { RedeliveryRequests } from './streams/redelivery-requests.js'
import { State } from './streams/state.js'

/** A connection with all that reads and writes through it. */
export interface Session {
  connection: NatsConnection
  client: JetStreamClient
  manager: JetStreamManager
  publisher: Publisher
  clock: ServerClock
  state: State
  states: NatsStates
  index: IdIndex
  events: Events
  appender: Appender
  redelivery: Redelivery
  lookup: EventLookup
  query: EventQuery
  deadLetters: DeadLetterQueries
  eraser: Eraser
  redeliveries: RedeliveryRequests
  groups: GroupConsumers
  consumers: ServerConsumers
}

/**
 * Connects, and makes the streams of the bus that are not there yet.
 *
 * @throws EventBusError `STORE_UNAVAILABLE`, `INVALID_OPTIONS` where the streams have other settings
 */
export async function openSession(
  options: ResolvedNatsStoreOptions,
  names: Names,
  onError: (error: unknown) => void,
): Promise<Session> {
  const { servers, requestTimeoutMs: timeout } = options
  const connection = await openConnection(options).catch((cause: unknown) => {
    throw unavailable(servers, cause)
  })
  let manager: JetStreamManager
  let features: ServerFeatures
  try {
    manager = await jetstreamManager(connection, { timeout })
    features = await addStreams(manager, names, options)
  } catch (cause) {
    await connection.close()
    throw unavailable(servers, cause)
  }
  const client = jetstream(connection, { timeout })
  const publisher = new Publisher(connection, timeout)
  const clock = new ServerClock(
    publisher,
    manager,
    { stream: names.presence, subject: names.clock },
    onError,
  )
  const state = new State(names, publisher, manager)
  const index = new IdIndex(state)
  const events = new Events(state, manager)
  const isAtomic = options.atomicBatches && features.atomicBatches
  const appender = new Appender(publisher, names, index, events, clock, isAtomic)
  const redelivery = new Redelivery(state, publisher, clock, features.schedules)
  const lookup = new EventLookup(events, index)
  const deadLetters = new DeadLetterQueries(state, events, lookup)
  const deliveries = new Deliveries(state, manager, clock)
  const consumers = new ServerConsumers({
    state,
    manager,
    redelivery,
    skipped: new SkippedEvents(state, events, clock),
    settledBound: (group) => new SettledBound(state, publisher, group),
  })
  return {
    connection,
    client,
    manager,
    publisher,
    clock,
    state,
    states: new NatsStates(state),
    index,
    events,
    appender,
    redelivery,
    lookup,
    query: new EventQuery({ names, manager, events, lookup, deliveries }),
    deadLetters,
    redeliveries: new RedeliveryRequests({ state, events, lookup, deadLetters, redelivery }),
    eraser: new Eraser({ state, index, redelivery, manager, clock }),
    consumers,
    groups: new GroupConsumers({
      state,
      manager,
      clock,
      consumers,
      startAfter: (request) => lookup.startAfter(request),
    }),
  }
}
