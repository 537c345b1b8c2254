import type { Response } from 'undici'
import type { CallLimits } from '../call/call.js'
import type { BodyChunk } from '../guest/web/fetch/fetch-messages.js'

/** What one read gives at most, unless it asks for all. */
const MAX_CHUNK_BYTES = 256 * 1024

/** The bytes that the bodies of one call hold on the host. */
export interface HeldBytes {
  heldBytes: number
}

/**
 * The body of an answer as it arrives. It is only read on as the guest asks for it, so that the connection holds back a server that
 * is faster than the guest. Counts what the decoder gives, so that a small answer that unpacks to a huge one is stopped.
 */
export class IncomingBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #limits: CallLimits
  readonly #held: HeldBytes
  #length = 0
  /** What the reader was asked for and has not been handed on. */
  #next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined
  #isBeingRead = false

  constructor({ body }: Response, limits: CallLimits, held: HeldBytes) {
    this.#reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
    this.#limits = limits
    this.#held = held
  }

  /** What has arrived, without waiting for more. */
  async readArrived(): Promise<BodyChunk> {
    return (await this.#hasArrived()) ? this.read(false) : { bytes: new Uint8Array(), ended: false }
  }

  /**
   * Waits for what comes next, and takes what comes with it; or for all.
   *
   * @throws RangeError with the code `RESOURCE_LIMIT` at a limit of the call; what the connection throws
   */
  async read(all: boolean): Promise<BodyChunk> {
    if (this.#isBeingRead) throw new TypeError('fetch: the body is being read already')
    this.#isBeingRead = true
    const chunks: Uint8Array[] = []
    let length = 0
    let ended = false
    try {
      do {
        const { done, value } = await this.#peek()
        this.#next = undefined
        ended = done
        if (!value) break
        length += value.byteLength
        this.#count(value.byteLength)
        chunks.push(value)
      } while (all || (length < MAX_CHUNK_BYTES && (await this.#hasArrived())))
    } finally {
      this.#held.heldBytes -= length
      this.#isBeingRead = false
    }
    return { bytes: joined(chunks, length), ended }
  }

  #count(bytes: number): void {
    const { maxResponseBytes, memoryLimitBytes } = this.#limits
    this.#length += bytes
    this.#held.heldBytes += bytes
    if (this.#length > maxResponseBytes) {
      throw limitError(`fetch: the response is larger than its limit of ${maxResponseBytes} bytes`)
    }
    // What waits on the host is memory that the guest takes, wherever it is.
    if (this.#held.heldBytes > memoryLimitBytes) {
      throw limitError('fetch: the responses that come at once are more than the memory limit')
    }
  }

  /** Whether the next read need not wait. */
  async #hasArrived(): Promise<boolean> {
    const turn = new Promise<false>((resolve) => setImmediate(resolve, false))
    // One that failed has arrived as well: the read that takes it throws.
    const arrived = this.#peek().then(
      () => true,
      () => true,
    )
    return Promise.race([arrived, turn])
  }

  #peek(): Promise<ReadableStreamReadResult<Uint8Array>> {
    this.#next ??= this.#reader?.read() ?? Promise.resolve({ done: true, value: undefined })
    return this.#next
  }
}

/** Memory of its own: a slice of a shared pool would cross to the thread with all that lies beside it. */
function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** A limit of the call, as the guest is told. */
export function limitError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'RESOURCE_LIMIT' })
}
