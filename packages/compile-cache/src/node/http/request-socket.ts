import type { Emitter } from '../events/emitter.js'
import { EventEmitter } from '../events/events.js'

interface Owner {
  setTimeout(delayMs: number, callback?: () => void): unknown
  destroy(error?: Error): unknown
}

/** What programs find as the connection of a request: the host has it, so there is nothing of it to see. */
export class RequestSocket extends (EventEmitter as unknown as new () => Emitter) {
  readonly encrypted: boolean
  readonly authorized: boolean
  readonly connecting = false
  readonly readable = true
  readonly writable = true
  readonly bytesRead = 0
  readonly bytesWritten = 0
  destroyed = false
  readonly #owner: Owner

  constructor(owner: Owner, encrypted: boolean) {
    super()
    this.#owner = owner
    this.encrypted = encrypted
    this.authorized = encrypted
  }
  setTimeout(delayMs: number, callback?: () => void): this {
    this.#owner.setTimeout(delayMs, callback)
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  address(): object {
    return {}
  }
  getPeerCertificate(): object {
    return {}
  }
  destroy(error?: Error): this {
    this.#owner.destroy(error)
    return this
  }
}
