import { JetStreamApiError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream'
import type { Delivery, DeliveryError, JsonValue } from '@nexus/event-bus'
import type { Publisher } from '../connection/publisher.js'
import type { Names } from './names.js'

/** A consumer group as it is stored. */
export interface GroupState {
  patterns: string[]
  startAfter: number
}

/** A delivery as it is stored. */
export interface DeliveryState {
  status: Exclude<Delivery['status'], 'running'>
  attempts: number
  replays: number
  updatedAtMs: number
  /** How often the server had handed the event out by then: what it does beyond is crashed attempts. */
  handedOut: number
  /** The message that counts is in the stream of those to be delivered again. */
  redelivery?: true
  durationMs?: number
  record?: JsonValue
  error?: DeliveryError
  nextAttemptAtMs?: number
}

/** Whether the group has done with the event, unless somebody asks for it again. */
export function isFinal({ status }: DeliveryState): boolean {
  return status === 'succeeded' || status === 'dead-lettered'
}

/** A dead letter as it is stored. */
export interface LetterState {
  attempts: number
  atMs: number
  error: DeliveryError
  record?: JsonValue
}

/** Reads and writes the streams of a bus; the last message of a subject is its value. */
export class State {
  readonly names: Names
  readonly #publisher: Publisher
  readonly #manager: JetStreamManager

  constructor(names: Names, publisher: Publisher, manager: JetStreamManager) {
    this.names = names
    this.#publisher = publisher
    this.#manager = manager
  }

  async read<T>(subject: string): Promise<T | undefined> {
    const found = await this.#last(this.names.state, subject)
    return found?.json<T>()
  }

  /** The message of a value as the leader of the stream has it, which its copies may not have yet. */
  async newest(subject: string): Promise<StoredMsg | undefined> {
    const query = { last_by_subj: subject }
    return (await this.#manager.streams.getMessage(this.names.state, query)) ?? undefined
  }

  async write(subject: string, value: unknown): Promise<void> {
    await this.#publisher.publish(subject, JSON.stringify(value))
  }

  async remove(subject: string): Promise<void> {
    await this.#manager.streams.purge(this.names.state, { filter: subject })
  }

  /** Reads a value and removes it. */
  async take<T>(subject: string): Promise<T | undefined> {
    const found = await this.#last(this.names.state, subject)
    if (found === undefined) return undefined
    try {
      await this.#manager.streams.deleteMessage(this.names.state, found.seq, false)
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof JetStreamApiError)) throw error
    }
    return found.json<T>()
  }

  /** Subjects that have a value. */
  async subjects(filter: string, stream = this.names.state): Promise<string[]> {
    const info = await this.#manager.streams.info(stream, { subjects_filter: filter })
    return Object.keys(info.state.subjects ?? {})
  }

  /** All groups, by name. */
  async groups(): Promise<(GroupState & { name: string })[]> {
    const subjects = await this.subjects(this.names.group('*'))
    const groups = await Promise.all(
      subjects.sort().map(async (subject) => {
        const state = await this.read<GroupState>(subject)
        return state && { name: this.names.lastToken(subject), ...state }
      }),
    )
    return groups.filter((group) => group !== undefined)
  }

  delivery(group: string, sequence: number): Promise<DeliveryState | undefined> {
    return this.read<DeliveryState>(this.names.delivery(group, sequence))
  }

  /** The event at a position. */
  async event(sequence: number): Promise<StoredMsg | undefined> {
    const found = await this.#manager.direct.getMessage(this.names.events, { seq: sequence })
    return found ?? undefined
  }

  async eventOf(id: string): Promise<StoredMsg | undefined> {
    const type = await this.read<string>(this.names.id(id))
    return type === undefined
      ? undefined
      : this.#last(this.names.events, this.names.event(id, type))
  }

  async #last(stream: string, subject: string): Promise<StoredMsg | undefined> {
    return (await this.#manager.direct.getMessage(stream, { last_by_subj: subject })) ?? undefined
  }
}
