import type { HandlerContext } from '../call/handler-context.js'
import type { SuspensionOptions } from '../options.js'
import { ImageSealer } from './image-sealer.js'
import type { SuspensionStore } from './suspension-store.js'
import { Suspensions } from './suspensions.js'

/** The suspended calls of each store that calls of a runtime are kept in. */
export class SuspensionStores {
  readonly #default: SuspensionStore | undefined
  readonly #sealer: ImageSealer
  readonly #opened = new WeakMap<SuspensionStore, Suspensions>()

  constructor({ store, keys }: SuspensionOptions = {}) {
    this.#default = store
    this.#sealer = new ImageSealer(keys)
  }

  /** Those of a call's own store, or of the runtime's; undefined where there is neither. */
  of({ suspension }: Pick<HandlerContext, 'suspension'>): Suspensions | undefined {
    const store = suspension?.store ?? this.#default
    if (store === undefined) return undefined
    let opened = this.#opened.get(store)
    if (opened === undefined) {
      opened = new Suspensions(store, this.#sealer)
      this.#opened.set(store, opened)
    }
    return opened
  }
}
