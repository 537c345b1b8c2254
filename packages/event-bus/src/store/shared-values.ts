import { EventBusError } from '../errors.js'
import type { JsonValue } from '../event/cloud-event.js'
import type { EventStore, SharedEntry } from './event-store.js'

/** Keys are part of names on servers, so they are kept plain. */
const KEY = /^[a-z0-9-]{1,128}$/
const MAX_BYTES = 65_536

/** Small values beside the events, which every process of the bus reads and changes. They are as durable as the events. */
export class SharedValues {
  readonly #store: EventStore

  constructor(store: EventStore) {
    this.#store = store
  }

  /**
   * The value; undefined when it was never written.
   *
   * @throws EventBusError `INVALID_OPTIONS` for a key that is not 1 to 128 small letters, digits and dashes
   */
  async get(key: string): Promise<JsonValue | undefined> {
    return (await this.#read(key))?.value
  }

  /**
   * Changes the value, and answers what it is then.
   *
   * @param change answers the new value, or what it got where nothing is to be changed; called again when another process
   * was faster
   * @throws EventBusError `INVALID_OPTIONS` for a key that is not plain, or a value of more than 65,536 bytes of JSON
   */
  async update(
    key: string,
    change: (value: JsonValue | undefined) => JsonValue | undefined,
  ): Promise<JsonValue | undefined> {
    for (;;) {
      const found = await this.#read(key)
      const value = change(found?.value)
      if (value === undefined || value === found?.value) return found?.value
      const bytes = Buffer.byteLength(JSON.stringify(value))
      if (bytes > MAX_BYTES) {
        throw new EventBusError(
          'INVALID_OPTIONS',
          `shared value ${key}: expected at most ${MAX_BYTES} bytes of JSON, got ${bytes}`,
          { details: { key, bytes } },
        )
      }
      if (await this.#store.writeShared(key, value, found?.revision ?? 0)) return value
    }
  }

  async #read(key: string): Promise<SharedEntry | undefined> {
    if (KEY.test(key)) return this.#store.readShared(key)
    throw new EventBusError(
      'INVALID_OPTIONS',
      `shared value: expected a key of 1 to 128 small letters, digits and dashes, got ${JSON.stringify(key).slice(0, 200)}`,
    )
  }
}
