import type { HandlerImage } from '../image/handler-image.js'
import type { DiscardReason, InstanceKind } from '../pool/instance-kind.js'
import type { QuickJSInstance } from './quickjs-instance.js'
import type { QuickJSTemplate } from './quickjs-template.js'

/** How a handler's calls share an instance: each starts pristine, or state stays between calls as in AWS Lambda. */
export type Isolation = 'pristine' | 'shared'

/** What a QuickJS instance is wanted for. Two uses are the same when they are the same object. */
export interface QuickJSUse {
  /** What the instance's memory is when a call begins. */
  readonly image: HandlerImage
  /** The template that the image is of. */
  readonly template: QuickJSTemplate
  /** Whether the instance is rewound after each call. */
  readonly isolation: Isolation
  /** Whether it is for one call alone, after which the instance is not rewound. */
  readonly isUsedOnce?: boolean
}

/**
 * QuickJS sandboxes for an `InstancePool`.
 *
 * @example
 * ```ts
 * const pool = new InstancePool(new QuickJSKind())
 * const lease = await pool.acquire({ template, image: template.baseImage, isolation: 'pristine' })
 * ```
 */
export class QuickJSKind implements InstanceKind<QuickJSInstance, QuickJSUse> {
  readonly #uses = new WeakMap<QuickJSInstance, QuickJSUse>()

  /** Makes an instance bound to the image of `use`. */
  async create(use: QuickJSUse): Promise<QuickJSInstance> {
    const instance = await use.template.instantiate(use.image)
    this.#uses.set(instance, use)
    return instance
  }

  /** Whether an idle instance has the memory and the extensions that `use` needs, and is sound. */
  accepts(instance: QuickJSInstance, use: QuickJSUse): boolean {
    return use.template.accepts(instance, use.image) && !instance.hasTrapped
  }

  /** Whether what an idle instance was used for does not come again. */
  isFree(instance: QuickJSInstance): boolean {
    return !this.#uses.has(instance)
  }

  /** Whether an idle instance is bound to this very `use`. */
  isBoundTo(instance: QuickJSInstance, use: QuickJSUse): boolean {
    return this.#uses.get(instance) === use
  }

  /** Removes every byte of the former handler and lays down the image of `use`. */
  bind(instance: QuickJSInstance, use: QuickJSUse): void {
    instance.bind(use.image)
    this.#uses.set(instance, use)
  }

  /**
   * Rewinds an instance after a call, unless its calls share it.
   *
   * @returns `trap` or `growth` when it cannot be used again
   */
  reset(instance: QuickJSInstance): DiscardReason | undefined {
    instance.end()
    if (instance.hasTrapped) return 'trap'
    const use = this.#uses.get(instance)
    if (use?.isUsedOnce || use?.image.thawedOn) {
      this.#uses.delete(instance)
      return undefined
    }
    if (use?.isolation === 'shared') return undefined
    if (instance.hasGrown) return 'growth'
    instance.rewind()
    return undefined
  }

  /** Size of the linear memory of an instance, in bytes. */
  memoryBytes(instance: QuickJSInstance): number {
    return instance.memoryBytes
  }

  /** Frees the engine of an instance. */
  dispose(instance: QuickJSInstance): void {
    instance.dispose()
  }
}
