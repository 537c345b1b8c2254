import { createHash } from 'node:crypto'

/**
 * Streams and subjects of a bus:
 *
 * PREFIX_events      prefix.event.HASH.TYPE        one event; HASH of its id, so that an id is found and is unique per type
 * PREFIX_state       prefix.id.HASH                its type
 *                    prefix.group.GROUP            patterns and start
 *                    prefix.group.GROUP.settled    no record of the group is of a later event
 *                    prefix.delivery.GROUP.SEQ     what the group did with the event
 *                    prefix.dead.GROUP.SEQ         why the group gave it up
 * PREFIX_redelivery  prefix.redelivery.GROUP.SEQ   an event to deliver to the group again
 *                    prefix.delayed.GROUP.SEQ      the same, kept by the server until it is due
 * PREFIX_lease       prefix.lease.GROUP            the one consumer of an ordered group
 */
export class Names {
  readonly events: string
  readonly state: string
  readonly redelivery: string
  readonly lease: string
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.events = `${prefix}_events`
    this.state = `${prefix}_state`
    this.redelivery = `${prefix}_redelivery`
    this.lease = `${prefix}_lease`
  }

  event(id: string, type: string): string {
    return `${this.#prefix}.event.${hash(id)}.${type}`
  }

  /** Matches every event whose type matches the pattern. */
  eventsOf(pattern: string): string {
    return `${this.#prefix}.event.*.${pattern}`
  }

  typeOf(eventSubject: string): string {
    return eventSubject.split('.').slice(3).join('.')
  }

  id(id: string): string {
    return `${this.#prefix}.id.${hash(id)}`
  }

  idOfEvent(eventSubject: string): string {
    return `${this.#prefix}.id.${eventSubject.split('.')[2]}`
  }

  group(name: string): string {
    return `${this.#prefix}.group.${name}`
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

  redeliveryOf(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.redelivery.${group}.${sequence}`
  }

  delayedOf(group: string, sequence: number | '*'): string {
    return `${this.#prefix}.delayed.${group}.${sequence}`
  }

  leaseOf(group: string): string {
    return `${this.#prefix}.lease.${group}`
  }

  /** Last token of a subject, where this stream's subjects carry a sequence or a name. */
  lastToken(subject: string): string {
    return subject.slice(subject.lastIndexOf('.') + 1)
  }

  stateSubjects(): string[] {
    return ['id', 'group', 'delivery', 'dead'].map((kind) => `${this.#prefix}.${kind}.>`)
  }

  redeliverySubjects(): string[] {
    return ['redelivery', 'delayed'].map((kind) => `${this.#prefix}.${kind}.>`)
  }
}

function hash(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32)
}
