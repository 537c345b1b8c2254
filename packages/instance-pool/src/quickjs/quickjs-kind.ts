import type { HandlerImage } from '../image/handler-image.js'
import type { DiscardReason, InstanceKind } from '../pool/instance-kind.js'
import type { QuickJSInstance } from './quickjs-instance.js'
import type { QuickJSTemplate } from './quickjs-template.js'

/** How a handler's calls share an instance: each starts pristine, or state stays between calls as in AWS Lambda. */
export type Isolation = 'pristine' | 'shared'

/** What a QuickJS instance is wanted for. Two uses are the same when they are the same object. */
export interface QuickJSUse {
  readonly image: HandlerImage
  readonly template: QuickJSTemplate
  readonly isolation: Isolation
}

/** QuickJS sandboxes for an `InstancePool`. */
export class QuickJSKind implements InstanceKind<QuickJSInstance, QuickJSUse> {
  readonly #uses = new WeakMap<QuickJSInstance, QuickJSUse>()

  async create(use: QuickJSUse): Promise<QuickJSInstance> {
    const instance = await use.template.instantiate(use.image)
    this.#uses.set(instance, use)
    return instance
  }

  accepts(instance: QuickJSInstance, use: QuickJSUse): boolean {
    return use.template.accepts(instance) && !instance.hasGrown && !instance.hasTrapped
  }

  isBoundTo(instance: QuickJSInstance, use: QuickJSUse): boolean {
    return this.#uses.get(instance) === use
  }

  bind(instance: QuickJSInstance, use: QuickJSUse): void {
    instance.bind(use.image)
    this.#uses.set(instance, use)
  }

  reset(instance: QuickJSInstance): DiscardReason | undefined {
    instance.end()
    if (instance.hasTrapped) return 'trap'
    if (this.#uses.get(instance)?.isolation === 'shared') return undefined
    if (instance.hasGrown) return 'growth'
    instance.rewind()
    return undefined
  }

  memoryBytes(instance: QuickJSInstance): number {
    return instance.memoryBytes
  }

  dispose(instance: QuickJSInstance): void {
    instance.dispose()
  }
}
