import type { EventBus } from '@nexus/event-bus'
import type { SuspensionStore } from '@nexus/executor'
import { newSuspensionCounts } from './suspension-counts.js'

/**
 * Holds images of a function's calls between the sandbox and the settlement that they are stored with. Who may resume a call
 * is for the bus to say: here every claim is won.
 */
export class CallStore implements SuspensionStore {
  readonly counts = newSuspensionCounts()
  readonly #bus: EventBus
  readonly #functionName: string
  readonly #images = new Map<string, Uint8Array>()

  constructor(bus: EventBus, functionName: string) {
    this.#bus = bus
    this.#functionName = functionName
  }

  /** The image of a call that was suspended, which is counted. */
  takeSuspended(callId: string): Uint8Array {
    const image = this.take(callId)!
    this.counts.suspended += 1
    this.counts.imageBytes += image.byteLength
    return image
  }

  /** The image that a call left, or was begun with; it is held no longer. */
  take(callId: string): Uint8Array | undefined {
    const image = this.#images.get(callId)
    this.#images.delete(callId)
    return image
  }

  async save(callId: string, image: Uint8Array): Promise<void> {
    this.#images.set(callId, image)
  }

  async load(callId: string): Promise<Uint8Array | undefined> {
    return this.#images.get(callId)
  }

  async list(): Promise<string[]> {
    return [...this.#images.keys()]
  }

  async claim(): Promise<'won'> {
    return 'won'
  }

  async holds(): Promise<boolean> {
    return true
  }

  async release(): Promise<void> {}

  async remove(callId: string): Promise<void> {
    this.#images.delete(callId)
  }

  /** Before the settlement: an image of a call needs that of its handler. */
  async saveHandler(hash: string, image: Uint8Array): Promise<void> {
    const value = Buffer.from(image).toString('base64')
    await this.#bus.states.put(this.#functionName, { key: handlerKey(hash), value })
  }

  async loadHandler(hash: string): Promise<Uint8Array | undefined> {
    const text = await this.#bus.states.get(this.#functionName, handlerKey(hash))
    return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined
  }
}

function handlerKey(hash: string): string {
  return `handler.${hash}`
}
