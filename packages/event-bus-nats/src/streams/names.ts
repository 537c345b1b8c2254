import { createHash } from 'node:crypto'
import type { LeaseAddresses } from '../group/order/lease.js'
import { subjectOfType, typeOfSubject } from './type-subject.js'

/** What an event is found by. */
export interface EventKey {
  source: string
  id: string
  type: string
}

/**
 * Streams and subjects of a bus:
 *
 * PREFIX_events      prefix.event.HASH.TYPE        one event; HASH of its source and id, which are unique together;
 *                                                  TYPE as `subjectOfType` writes it
 * PREFIX_state       prefix.id.HASH                sources and types of the events with this id
 *                    prefix.erased.SEQ             envelope of an event whose data was erased
 *                    prefix.created                when the stream of events was made that the others are about
 *                    prefix.group.GROUP            patterns and start
 *                    prefix.shared.KEY             a value that processes share
 *                    prefix.group.GROUP.settled    no record of the group is of a later event
 *                    prefix.delivery.GROUP.SEQ     what the group did with the event
 *                    prefix.dead.GROUP.SEQ         why the group gave it up
 *                    prefix.kept.GROUP.KIND.NAME   what the group keeps under a key, see NatsStates
 * PREFIX_redelivery  prefix.redelivery.GROUP.SEQ   an event to deliver to the group again
 *                    prefix.delayed.GROUP.SEQ      the same, which the server does not hand out until it is due
 *                    prefix.parked.GROUP.SEQ       the same, for a process with other patterns than the one that got it
 * PREFIX_lease       prefix.lease.GROUP            the one consumer of an ordered group
 * PREFIX_presence    prefix.presence.GROUP.lease   the same, while the server's disk is full
 *                    prefix.presence.GROUP.wanted.SET  a process with these patterns waits to be that consumer
 *                    prefix.presence.clock         stored to learn the server's time
 *
 * What only the processes hear that listen at the moment is in no stream: prefix.turn.GROUP, an ordered group has no consumer.
 *
 * A group's consumers are GROUP=TIME in the streams of events and of redeliveries, and GROUP=parked=TIME, see `consumerName`.
 *
 * All but the last are on disk. What is in memory says how things are at the moment, and is gone after seconds.
 */
export class Names {
  readonly events: string
  readonly state: string
  readonly redelivery: string
  readonly lease: string
  readonly presence: string
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.events = `${prefix}_events`
    this.state = `${prefix}_state`
    this.redelivery = `${prefix}_redelivery`
    this.lease = `${prefix}_lease`
    this.presence = `${prefix}_presence`
  }

  event({ source, id, type }: EventKey): string {
    return `${this.#prefix}.event.${this.identity({ source, id })}.${subjectOfType(type)}`
  }

  /** Stands for the source and id of an event, whatever their characters. */
  identity({ source, id }: Pick<EventKey, 'source' | 'id'>): string {
    return hash(JSON.stringify([source, id]))
  }

  /** Matches every event whose type matches the pattern. */
  eventsOf(pattern: string): string {
    return `${this.#prefix}.event.*.${subjectOfType(pattern)}`
  }

  typeOf(eventSubject: string): string {
    return typeOfSubject(eventSubject.split('.').slice(3).join('.'))
  }

  id(id: string): string {
    // As JSON: halves of a surrogate pair would all become the same character in UTF-8.
    return `${this.#prefix}.id.${hash(JSON.stringify(id))}`
  }

  group(name: string): string {
    return `${this.#prefix}.group.${name}`
  }

  shared(key: string): string {
    return `${this.#prefix}.shared.${key}`
  }

  settledBound(group: string): string {
    return `${this.group(group)}.settled`
  }

  delivery(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.delivery.${group}.${sequence}`
  }

  dead(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.dead.${group}.${sequence}`
  }

  /** @param key of what the group keeps, which is a kind, a dot and a name */
  kept(group: string, key: string): string {
    return `${this.#prefix}.kept.${group}.${key}`
  }

  /** What a group keeps of any kind. */
  allKept(group: string): string {
    return `${this.#prefix}.kept.${group}.>`
  }

  /** The key of a subject of {@link kept}. */
  keyOf(keptSubject: string): string {
    return keptSubject.split('.').slice(3).join('.')
  }

  erased(sequence: number | '*'): string {
    return `${this.#prefix}.erased.${sequence}`
  }

  redeliveryOf(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.redelivery.${group}.${sequence}`
  }

  delayedOf(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.delayed.${group}.${sequence}`
  }

  parkedOf(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.parked.${group}.${sequence}`
  }

  /** What the name of the consumer of what is parked begins with; no group has such a name. */
  parkedConsumer(group: string): string {
    return `${group}=parked`
  }

  /** Where an ordered group's lease is stored. */
  leaseOf(group: string): LeaseAddresses {
    return {
      file: { stream: this.lease, subject: `${this.#prefix}.lease.${group}` },
      memory: { stream: this.presence, subject: `${this.#prefix}.presence.${group}.lease` },
    }
  }

  /** @param patterns as `keyOf` tells sets apart */
  leaseWanted(group: string, patterns: string): string {
    return `${this.#prefix}.presence.${group}.wanted.${hash(patterns)}`
  }

  /** Tells the processes that wait to be an ordered group's one consumer that they may; in no stream. */
  turnOf(group: string): string {
    return `${this.#prefix}.turn.${group}`
  }

  get clock(): string {
    return `${this.#prefix}.presence.clock`
  }

  /** Last token of a subject, where this stream's subjects carry a sequence or a name. */
  lastToken(subject: string): string {
    return subject.slice(subject.lastIndexOf('.') + 1)
  }

  get streamCreated(): string {
    return `${this.#prefix}.created`
  }

  /** Subjects of what is stored about events. */
  subjectsOfEvents(): string[] {
    const kinds = ['id', 'erased', 'delivery', 'dead'].map((kind) => `${this.#prefix}.${kind}.>`)
    return [...kinds, this.settledBound('*')]
  }

  stateSubjects(): string[] {
    const kinds = ['id', 'erased', 'group', 'shared', 'delivery', 'dead', 'kept'].map(
      (kind) => `${this.#prefix}.${kind}.>`,
    )
    return [...kinds, this.streamCreated]
  }

  leaseSubjects(): string[] {
    return [`${this.#prefix}.lease.>`]
  }

  presenceSubjects(): string[] {
    return [`${this.#prefix}.presence.>`]
  }

  redeliverySubjects(): string[] {
    return ['redelivery', 'delayed', 'parked'].map((kind) => `${this.#prefix}.${kind}.>`)
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
