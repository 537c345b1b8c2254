import { type ApiError, JetStreamApiError } from '@nats-io/jetstream'
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'

/** What a stream has to hold for a message to be taken, and what goes with it. */
export interface NatsPublishOptions {
  /** The stream takes an id once, within its window. */
  id?: string
  /** Newest sequence of the subject; 0 when there must be none. */
  lastSubjectSequence?: number
  header?: [name: string, value: string]
}

/** Where a stream put a message. */
export interface NatsStored {
  sequence: number
  duplicate: boolean
}

interface Pending {
  sentMs: number
  resolve(stored: NatsStored): void
  reject(error: unknown): void
}

/**
 * Stores messages, with one subscription for all acks. The client's own `publish` makes two errors with
 * stack traces and a timer for each message, in case it fails: more work than all the rest of it.
 */
export class NatsPublisher {
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

  /** Resolves when the stream has the message. */
  publish(subject: string, payload: string, options?: NatsPublishOptions): Promise<NatsStored> {
    return new Promise((resolve, reject) => {
      this.#sent += 1
      const token = this.#sent.toString(36)
      this.#connection.publish(subject, payload, {
        reply: `${this.#inbox}.${token}`,
        ...(options !== undefined && { headers: toHeaders(options) }),
      })
      this.#pending.set(token, { sentMs: performance.now(), resolve, reject })
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs)
    })
  }

  /** Gives up what was not answered. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(new Error('the connection was closed'))
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

function toHeaders({ id, lastSubjectSequence, header }: NatsPublishOptions) {
  const own = headers()
  if (id !== undefined) own.set('Nats-Msg-Id', id)
  if (lastSubjectSequence !== undefined) {
    own.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence))
  }
  if (header !== undefined) own.set(...header)
  return own
}
