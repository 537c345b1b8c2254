import { limitError } from './incoming-body.js'

/** The body of a request as the guest sends it: it is told to send on when the connection has taken what came before. */
export class OutgoingBody {
  /** What the request is made with. */
  readonly stream: ReadableStream<Uint8Array>
  readonly #maxBytes: number
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #length = 0
  #isOver = false
  #taken: (() => void) | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#taken?.(),
        cancel: () => this.end(),
      },
      // Nothing is taken ahead: what waits here is the guest's memory.
      { highWaterMark: 0 },
    )
  }

  /** Nothing more is wanted: the answer is there, or there will be none. */
  end(): void {
    this.#isOver = true
    this.#taken?.()
  }

  /**
   * Takes what comes next.
   *
   * @returns whether nothing more is wanted
   * @throws RangeError with the code `RESOURCE_LIMIT`
   */
  async write(bytes: Uint8Array, ended: boolean): Promise<boolean> {
    if (this.#isOver) return true
    this.#length += bytes.byteLength
    if (this.#length > this.#maxBytes) {
      throw limitError(`fetch: the body is larger than its limit of ${this.#maxBytes} bytes`)
    }
    const taken = new Promise<void>((resolve) => {
      this.#taken = resolve
    })
    if (bytes.byteLength > 0) this.#controller.enqueue(bytes)
    if (ended) {
      this.#isOver = true
      this.#controller.close()
    } else await taken
    return this.#isOver
  }
}
