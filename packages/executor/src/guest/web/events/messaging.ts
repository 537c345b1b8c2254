import type { GuestKit, PartExports } from '../../platform/kit.js'

/** Installs MessageChannel and MessagePort in the guest: both ends of a channel are in the same sandbox. */
export function installMessaging(kit: GuestKit): PartExports['messaging'] {
  const { coded, illegalConstructor } = kit.need('argument-errors')
  const { Event, EventTarget } = kit.need('events')
  const { MessageEvent } = kit.need('event-kinds')
  const { clone } = kit.need('structured-clone')
  const INTERNAL = Symbol()

  interface Message {
    data: unknown
    ports: MessagePort[]
  }

  let entangle: (one: MessagePort, other: MessagePort) => void
  let move: (port: MessagePort, to: MessagePort) => void
  let isDetached: (port: MessagePort) => boolean
  class MessagePort extends EventTarget {
    #other: MessagePort | undefined
    /** Messages that came before the port was started. */
    #queue: Message[] = []
    #isStarted = false
    #isClosed = false
    #onmessage: ((event: Event) => unknown) | null = null
    onmessageerror: ((event: Event) => unknown) | null = null

    static {
      entangle = (one, other) => {
        one.#other = other
        other.#other = one
      }
      move = (port, to) => {
        const other = port.#other
        to.#queue = port.#queue
        port.#queue = []
        port.#other = undefined
        port.#isClosed = true
        if (other) entangle(to, other)
      }
      isDetached = (port) => port.#isClosed
    }
    constructor(internal?: symbol) {
      if (internal !== INTERNAL) throw illegalConstructor()
      super()
      this.addEventListener('message', (event) => this.#onmessage?.(event))
    }
    get onmessage() {
      return this.#onmessage
    }
    set onmessage(listener: ((event: Event) => unknown) | null) {
      this.#onmessage = typeof listener === 'function' ? listener : null
      this.start()
    }
    postMessage(...args: [message?: unknown, options?: unknown]) {
      if (args.length === 0) {
        throw coded('ERR_MISSING_ARGS', 'Not enough arguments to MessagePort.postMessage')
      }
      const [message, options] = args
      const transfer = Array.isArray(options)
        ? options
        : ((options as StructuredSerializeOptions | undefined)?.transfer ?? [])
      if (transfer.includes(this)) {
        throw new DOMException('A port cannot be sent through itself', 'DataCloneError')
      }
      const ports: MessagePort[] = []
      const data = clone(message, transfer, (port) => ports.push(port as never))
      const other = this.#other
      if (!other || other.#isClosed) return
      other.#queue.push({ data, ports })
      if (other.#isStarted) other.#deliverLater()
    }
    start() {
      if (this.#isStarted || this.#isClosed) return
      this.#isStarted = true
      for (const _ of this.#queue) this.#deliverLater()
    }
    close() {
      if (this.#isClosed) return
      const other = this.#other
      for (const port of other ? [this as MessagePort, other] : [this as MessagePort]) {
        port.#isClosed = true
        kit.setTimeout(() => port.dispatchEvent(new Event('close')), 0)
      }
    }
    /** Each message is a task of its own. */
    #deliverLater() {
      kit.setTimeout(() => {
        const message = this.#queue.shift()
        if (message) this.dispatchEvent(new MessageEvent('message', message as never))
      }, 0)
    }
  }

  class MessageChannel {
    readonly #ports = [new MessagePort(INTERNAL), new MessagePort(INTERNAL)] as const
    constructor() {
      entangle(...this.#ports)
    }
    get port1() {
      return this.#ports[0]
    }
    get port2() {
      return this.#ports[1]
    }
  }
  kit.expose({ MessageChannel, MessagePort })
  return {
    MessagePort,
    newPort: () => new MessagePort(INTERNAL),
    move: move!,
    isDetached: isDetached!,
  } as unknown as PartExports['messaging']
}
