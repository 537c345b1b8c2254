import { JetStreamApiError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream'
import type { Delivery, DeliveryError, JsonValue } from '@nexus/event-bus'
import { hasEnded } from '@nexus/event-bus/store'
import { isWrongLastSequence, type Publisher } from '../connection/publisher.js'
import { matchesAny, type PatternSet } from '../group/pattern-sets.js'
import type { Names } from './names.js'

/** A consumer group as it is stored. */
export interface GroupState {
  /** When the stream of events was made that the sequences below are of. */
  streamCreated: string
  startAfter: number
  /** All that are in use, the newest last: processes of an old and a new version may share the group. */
  sets: PatternSet[]
}

/** The group in the stream of events as it is now: one that was made again counts from the beginning. */
export function inStream(group: GroupState, streamCreated: string): GroupState {
  if (group.streamCreated === streamCreated) return group
  const sets = group.sets.map((set) => ({ ...set, after: 0 }))
  return { ...group, streamCreated, startAfter: 0, sets }
}

/** A group with its name. */
export type KnownGroup = GroupState & { name: string }

/** A value, and the sequence of the message that holds it. */
export interface Revised<T> {
  value: T
  /** 0 where there is no message. */
  revision: number
}

/**
 * Which event a sequence stands for: a stream that is made again counts from the beginning, and what was written about
 * events of the old one must not be taken for the new ones.
 */
export interface EventRef {
  sequence: number
  /** When the server stored it. */
  time: Date
}

/** The client reads the time of a message that is handed out as a double, which may be a millisecond off. */
const TIME_ERROR_MS = 1

/** Whether what is stored is about this event, and not about one of a stream that is gone. */
export function isAbout({ eventAtMs }: { eventAtMs: number }, { time }: Pick<EventRef, 'time'>) {
  return Math.abs(eventAtMs - time.getTime()) <= TIME_ERROR_MS
}

/** What is known of a delivery: nothing where there is no record, or one of another event. */
export interface Recorded {
  value?: DeliveryState
  /** Sequence of the message that the next record replaces; 0 where there is none. */
  revision: number
}

/** A delivery as it is stored. */
export interface DeliveryState {
  status: Delivery['status']
  /** When its event was stored: epoch milliseconds, see `EventRef`. */
  eventAtMs: number
  /** How often the handler was started, by what is known here. */
  attempts: number
  replays: number
  /** Epoch milliseconds of the server's clock. */
  updatedAtMs: number
  /** The message that counts is in the redelivery stream. */
  redelivery?: true
  /** It waits because it was asked for once more. */
  asked?: 'replay' | 'redrive'
  /** The event was erased, and what its handlers said is not stored. */
  erased?: true
  /** The claim that wrote it. */
  owner?: string
  durationMs?: number
  record?: JsonValue
  error?: DeliveryError
  nextAttemptAtMs?: number
  /** Keys that its settlement changed of what the group keeps, see NatsStates. */
  changed?: string[]
}

/** Whether the group has done with the event, unless it is asked for once more. */
export function isFinal(delivery: DeliveryState): boolean {
  return hasEnded(delivery)
}

/** The groups that ask for a type, wherever they began. */
export function groupsFor(groups: readonly KnownGroup[], type: string): KnownGroup[] {
  return groups.filter(({ sets }) => sets.some(({ patterns }) => matchesAny(patterns, type)))
}

/** A dead letter as it is stored. */
export interface LetterState {
  /** When its event was stored: epoch milliseconds, see `EventRef`. */
  eventAtMs: number
  attempts: number
  atMs: number
  error: DeliveryError
  record?: JsonValue
}

/** A record or a dead letter of an event that was erased: what its handlers said is left out. */
export function withoutContent<T extends DeliveryState | LetterState>(stored: T): T {
  const { record: _, error, ...rest } = stored
  const left = { ...rest, ...(error !== undefined && { error: { message: 'erased' } }) }
  // What is not final comes by the redelivery stream from now on.
  return ('status' in left ? { ...left, erased: true, redelivery: true } : left) as T
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

  /** The newest value, with what `replace` needs. */
  async revised<T>(subject: string): Promise<Revised<T> | undefined> {
    const found = await this.newest(subject)
    return found && { value: found.json<T>(), revision: found.seq }
  }

  async write(subject: string, value: unknown): Promise<void> {
    await this.#publisher.publish(subject, JSON.stringify(value))
  }

  /** Writes unless another process wrote since; answers the new revision, or undefined. */
  async replace(subject: string, value: unknown, revision: number): Promise<number | undefined> {
    try {
      const options = { lastSubjectSequence: revision }
      const { sequence } = await this.#publisher.publish(subject, JSON.stringify(value), options)
      return sequence
    } catch (error) {
      if (isWrongLastSequence(error)) return undefined
      throw error
    }
  }

  /** @param until only what was written up to this sequence */
  async remove(subject: string, until?: number): Promise<void> {
    const request = { filter: subject, ...(until !== undefined && { seq: until + 1 }) }
    await this.#manager.streams.purge(this.names.state, request)
  }

  /** Sequence of what was written last. */
  async lastSequence(): Promise<number> {
    return (await this.#manager.streams.info(this.names.state)).state.last_seq
  }

  /** Reads a value and removes it. */
  async take<T>(subject: string): Promise<T | undefined> {
    const found = await this.#last(this.names.state, subject)
    if (found === undefined) return undefined
    try {
      await this.#manager.streams.deleteMessage(this.names.state, found.seq, false)
    } catch (error) {
      // Another process was faster.
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
  async groups(): Promise<KnownGroup[]> {
    const subjects = await this.subjects(this.names.group('*'))
    const groups = await Promise.all(
      subjects.sort().map(async (subject) => {
        const state = await this.read<GroupState>(subject)
        return state && { name: this.names.lastToken(subject), ...state }
      }),
    )
    return groups.filter((group) => group !== undefined)
  }

  /** What a group did with an event. */
  async delivery(group: string, event: EventRef): Promise<Recorded> {
    const found = await this.revised<DeliveryState>(this.names.delivery(group, event.sequence))
    if (found === undefined) return { revision: 0 }
    return isAbout(found.value, event) ? found : { revision: found.revision }
  }

  async #last(stream: string, subject: string): Promise<StoredMsg | undefined> {
    return (await this.#manager.direct.getMessage(stream, { last_by_subj: subject })) ?? undefined
  }
}
