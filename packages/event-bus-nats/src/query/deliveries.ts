import type { JetStreamManager } from '@nats-io/jetstream'
import type { Delivery } from '@nexus/event-bus'
import type { ServerClock } from '../connection/server-clock.js'
import { isWanted } from '../group/pattern-sets.js'
import { consumerName } from '../streams/consumer-name.js'
import type { EventMessage } from '../streams/events.js'
import { type DeliveryState, isAbout, type KnownGroup, type State } from '../streams/state.js'

/** A group, and how far the server has handed out events to it. */
export interface Position extends KnownGroup {
  handedOutUntil: number
}

/** Reads what groups did with events. */
export class Deliveries {
  readonly #state: State
  readonly #manager: JetStreamManager
  readonly #clock: Pick<ServerClock, 'now'>

  constructor(state: State, manager: JetStreamManager, clock: Pick<ServerClock, 'now'>) {
    this.#clock = clock
    this.#state = state
    this.#manager = manager
  }

  async positions(): Promise<Position[]> {
    const groups = await this.#state.groups()
    if (groups.length === 0) return []
    const { events } = this.#state.names
    const { created } = await this.#manager.streams.info(events)
    return Promise.all(
      groups.map(async (group) => {
        const consumer = consumerName(group.name, created)
        const info = await this.#manager.consumers.info(events, consumer)
        return { ...group, handedOutUntil: info.delivered.stream_seq }
      }),
    )
  }

  async of(event: EventMessage, positions: readonly Position[]): Promise<Delivery[]> {
    const found = await Promise.all(
      positions.map(async (position) => {
        const { names } = this.#state
        const known = await this.#state.read<DeliveryState>(
          names.delivery(position.name, event.sequence),
        )
        return known === undefined || !isAbout(known, event)
          ? unrecorded(event, position, this.#clock.now())
          : recorded(position.name, known)
      }),
    )
    return found.filter((delivery) => delivery !== undefined)
  }
}

function recorded(group: string, known: DeliveryState): Delivery {
  const { status, attempts, replays, updatedAtMs, nextAttemptAtMs, durationMs, record, error } =
    known
  return {
    group,
    status,
    attempts,
    replays,
    updatedAt: new Date(updatedAtMs).toISOString(),
    ...(durationMs !== undefined && { durationMs }),
    ...(record !== undefined && { record }),
    ...(error !== undefined && { error }),
    ...(nextAttemptAtMs !== undefined && {
      nextAttemptAt: new Date(nextAttemptAtMs).toISOString(),
    }),
  }
}

function unrecorded(
  { sequence, type, time }: EventMessage,
  { name, sets, handedOutUntil }: Position,
  nowMs: number,
): Delivery | undefined {
  if (!isWanted(sets, type, sequence, nowMs)) return undefined
  const isRunning = sequence <= handedOutUntil
  return {
    group: name,
    status: isRunning ? 'running' : 'pending',
    attempts: Number(isRunning),
    replays: 0,
    updatedAt: time.toISOString(),
  }
}
