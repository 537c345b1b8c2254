import type { webcrypto } from 'node:crypto'
import { types } from 'node:util'

/** More objects than any handler has a use for: each costs the host memory that the guest does not see. */
const MAX_OBJECTS = 10_000
/** What an object costs in addition to its own bytes. */
const OVERHEAD_BYTES = 256

/** An object that outlives the call, with the id that the guest knows it by. */
export interface KeptObject {
  readonly id: number
  readonly object: object
  readonly bytes: number
}

/** An object that cannot outlive its call while it is at work. */
export interface CallBound {
  /** What it is called in an error; `undefined` once it has done its work. */
  readonly openName: string | undefined
}

/** A limit of the call does not allow it. */
export class NativeLimitError extends RangeError {
  readonly code = 'RESOURCE_LIMIT'
}

/**
 * What the host keeps for a guest, which knows an id: keys.
 *
 * What is added while a module loads belongs to its image. What a call adds is in a table of its own above that one, and
 * ends with it. An id means nothing to another handler or another call: it is looked up in these two tables alone.
 */
export class NativeObjects {
  /** Those that were used last come last. */
  readonly #objects = new Map<number, { object: object; bytes: number }>()
  readonly #below: NativeObjects | undefined
  #lastId: number
  #bytes = 0

  readonly #evicts: boolean

  /**
   * @param below the objects of the image that the call starts from
   * @param evicts drops what was not used for longest where there is no room: for state that outlives calls
   */
  constructor(below?: NativeObjects, { evicts = false } = {}) {
    this.#below = below
    this.#evicts = evicts
    this.#lastId = below?.lastId ?? 0
  }

  /** A table with the objects of another, which was given up to `lastId`. */
  static of(
    { lastId, kept }: { lastId: number; kept: readonly KeptObject[] },
    options?: { evicts?: boolean },
  ): NativeObjects {
    const objects = new NativeObjects(undefined, options)
    for (const { id, object, bytes } of kept) {
      objects.#objects.set(id, { object, bytes })
      objects.#bytes += bytes
    }
    objects.#lastId = lastId
    return objects
  }

  /** The keys of this table and the one below: they have no state, and cross to other threads. All else ends with its call. */
  kept(): KeptObject[] {
    const own = [...this.#objects]
      .filter(([, { object }]) => types.isKeyObject(object) || types.isCryptoKey(object))
      .map(([id, { object, bytes }]) => ({ id, object, bytes }))
    return this.#below ? [...this.#below.kept(), ...own] : own
  }

  /** What keeps the call from being stored, by name: it is at work, or a key that must not be exported. */
  get obstacle(): string | undefined {
    for (const { object } of this.#objects.values()) {
      if (types.isKeyObject(object)) continue
      if (types.isCryptoKey(object)) {
        const { extractable, algorithm } = object as webcrypto.CryptoKey
        if (!extractable) return `a key that may not be exported (${algorithm.name})`
      } else if ('openName' in object && object.openName !== undefined) {
        return String(object.openName)
      }
    }
    return this.#below?.obstacle
  }

  /** The last id that was given. */
  get lastId(): number {
    return this.#lastId
  }

  /** What the objects of this table hold, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Keeps an object.
   *
   * @param bytes how large it is
   * @param limitBytes what all objects of this table may hold
   * @returns its id
   * @throws {@link NativeLimitError}
   */
  add(object: object, bytes: number, limitBytes: number): number {
    const size = bytes + OVERHEAD_BYTES
    const isFull = () => this.#bytes + size > limitBytes || this.#objects.size >= MAX_OBJECTS
    while (this.#evicts && isFull() && this.#objects.size > 0) this.#evict()
    if (isFull()) {
      throw new NativeLimitError('The host keeps more keys for this call than its limits allow')
    }
    this.#bytes += size
    this.#objects.set(++this.#lastId, { object, bytes: size })
    return this.#lastId
  }

  /** The object with this id, or `undefined` for what is no id of this guest. */
  get(id: unknown): object | undefined {
    return this.getOwn(id) ?? this.#below?.get(id)
  }

  /** The same, but only what was added here: objects with a state must not be shared with other calls. */
  getOwn(id: unknown): object | undefined {
    const entry = this.#objects.get(id as number)
    if (entry && this.#evicts) {
      this.#objects.delete(id as number)
      this.#objects.set(id as number, entry)
    }
    return entry?.object
  }

  #evict(): void {
    const [id, { bytes }] = this.#objects.entries().next().value!
    this.#objects.delete(id)
    this.#bytes -= bytes
  }
}
