import { randomUUID } from 'node:crypto'
import { type ApiError, JetStreamApiError } from '@nats-io/jetstream'
import {
  createInbox,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
} from '@nats-io/transport-node'

/** Code of the error for a message whose `lastSubjectSequence` is not the subject's. */
export const WRONG_LAST_SEQUENCE = 10071

/** Whether a subject had another newest message than `lastSubjectSequence` said. */
export function isWrongLastSequence(error: unknown): error is JetStreamApiError {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE
}

/** What a server takes that does not say. */
const DEFAULT_MAX_PAYLOAD = 1_048_576

/** What must be true of a stream for it to take a message, and what is stored with the message. */
export interface PublishRequest {
  /** The stream takes an id once, within its window. */
  id?: string
  /** Newest sequence of the subject; 0 when there must be none. */
  lastSubjectSequence?: number
  headers?: Record<string, string>
}

/** One message of a batch. */
export interface BatchMessage {
  subject: string
  payload: string
  headers?: Record<string, string>
}

/** Where a stream put a message. */
export interface StoredAt {
  sequence: number
  duplicate: boolean
}

interface Pending {
  sentMs: number
  resolve(stored: StoredAt): void
  reject(error: unknown): void
}

/**
 * Stores messages, with one subscription for all acks. The client's own `publish` makes two errors with
 * stack traces and a timer for each message, in case it fails: more work than all the rest of it.
 */
export class Publisher {
  readonly #connection: NatsConnection
  readonly #timeoutMs: number
  readonly #inbox = createInbox()
  /** In the order of sending, which is the order of timing out. */
  readonly #pending = new Map<string, Pending>()
  #sent = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection
    this.#timeoutMs = timeoutMs
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (_, message) => this.#answered(message),
    })
  }

  /** The most that payload and headers of one message may have. */
  get maxPayloadBytes(): number {
    return this.#connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD
  }

  /** Resolves when the stream has the message. */
  publish(subject: string, payload: string, options?: PublishRequest): Promise<StoredAt> {
    return this.#send(subject, payload, options && toHeaders(options))
  }

  /**
   * Stores messages of one stream together or not at all, on servers from 2.12 on; resolves with the sequence
   * of the last one, the others come right before it.
   */
  async publishAtomically(messages: readonly BatchMessage[]): Promise<number> {
    const batch = ['Nats-Batch-Id', randomUUID()] as const
    for (const [i, { subject, payload, headers: further }] of messages.entries()) {
      const own = headersOf(further)
      own.set(...batch)
      own.set('Nats-Batch-Sequence', String(i + 1))
      if (i < messages.length - 1) {
        this.#connection.publish(subject, payload, { headers: own })
        continue
      }
      own.set('Nats-Batch-Commit', '1')
      const { sequence } = await this.#send(subject, payload, own)
      return sequence
    }
    throw new RangeError('expected at least one message')
  }

  /** Gives up what was not answered. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(new Error('the connection was closed'))
  }

  #send(subject: string, payload: string, own: MsgHdrs | undefined): Promise<StoredAt> {
    return new Promise((resolve, reject) => {
      this.#sent += 1
      const token = this.#sent.toString(36)
      this.#connection.publish(subject, payload, {
        reply: `${this.#inbox}.${token}`,
        ...(own !== undefined && { headers: own }),
      })
      this.#pending.set(token, { sentMs: performance.now(), resolve, reject })
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs)
    })
  }

  #answered(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1)
    const pending = this.#pending.get(token)
    if (pending === undefined) return
    this.#pending.delete(token)
    if (message.headers?.code === 503) {
      pending.reject(new Error('no stream answers, JetStream is not there or has no leader'))
      return
    }
    const { error, seq, duplicate } = message.json<{
      error?: ApiError
      seq: number
      duplicate?: boolean
    }>()
    if (error === undefined) pending.resolve({ sequence: seq, duplicate: duplicate === true })
    else pending.reject(new JetStreamApiError(error))
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [token, { sentMs, reject }] of this.#pending) {
      const leftMs = sentMs + this.#timeoutMs - now
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#expire(), leftMs)
        return
      }
      this.#pending.delete(token)
      reject(new Error(`no answer for ${this.#timeoutMs} ms`))
    }
  }
}

function toHeaders({ id, lastSubjectSequence, headers: further }: PublishRequest): MsgHdrs {
  const own = headersOf(further)
  if (id !== undefined) own.set('Nats-Msg-Id', id)
  if (lastSubjectSequence !== undefined) {
    own.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence))
  }
  return own
}

function headersOf(values: Record<string, string> = {}): MsgHdrs {
  const own = headers()
  for (const [name, value] of Object.entries(values)) own.set(name, value)
  return own
}
