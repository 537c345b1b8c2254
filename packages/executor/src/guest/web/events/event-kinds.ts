import type { GuestKit, PartExports } from '../../platform/kit.js'

/** Installs the events of HTML that are no part of DOM: MessageEvent, ErrorEvent, PromiseRejectionEvent. */
export function installEventKinds(kit: GuestKit): PartExports['event-kinds'] {
  const { Event } = kit.need('events')

  class MessageEvent extends Event {
    readonly #data: unknown
    readonly #origin: string
    readonly #lastEventId: string
    readonly #source: unknown
    readonly #ports: readonly unknown[]
    constructor(...args: [type: string, init?: MessageEventInit]) {
      super(...args)
      const { data, origin, lastEventId, source, ports } = args[1] ?? {}
      this.#data = data ?? null
      this.#origin = String(origin ?? '')
      this.#lastEventId = String(lastEventId ?? '')
      this.#source = source ?? null
      this.#ports = Object.freeze([...(ports ?? [])])
    }
    get data() {
      return this.#data
    }
    get origin() {
      return this.#origin
    }
    get lastEventId() {
      return this.#lastEventId
    }
    get source() {
      return this.#source
    }
    get ports() {
      return this.#ports
    }
  }

  class ErrorEvent extends Event {
    readonly #facts: Required<ErrorEventInit>
    constructor(...args: [type: string, init?: ErrorEventInit]) {
      super(...args)
      const { message, filename, lineno, colno, error } = args[1] ?? {}
      this.#facts = {
        message: String(message ?? ''),
        filename: String(filename ?? ''),
        lineno: Number(lineno ?? 0) >>> 0,
        colno: Number(colno ?? 0) >>> 0,
        error,
      } as Required<ErrorEventInit>
    }
    get message() {
      return this.#facts.message
    }
    get filename() {
      return this.#facts.filename
    }
    get lineno() {
      return this.#facts.lineno
    }
    get colno() {
      return this.#facts.colno
    }
    get error(): unknown {
      return this.#facts.error
    }
  }

  class PromiseRejectionEvent extends Event {
    readonly #promise: object
    readonly #reason: unknown
    constructor(...args: [type: string, init: PromiseRejectionEventInit]) {
      super(...args)
      const { promise, reason } = args[1] ?? {}
      if (typeof promise !== 'object') {
        throw new TypeError('PromiseRejectionEvent: expected the promise')
      }
      this.#promise = promise
      this.#reason = reason
    }
    get promise() {
      return this.#promise
    }
    get reason() {
      return this.#reason
    }
  }

  kit.expose({ MessageEvent, ErrorEvent, PromiseRejectionEvent })
  return { MessageEvent } as unknown as PartExports['event-kinds']
}
