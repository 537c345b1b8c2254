import type { SuspensionClaim, SuspensionStore } from './suspension-store.js'

/** Keeps suspended calls in the memory of this process: for tests, and for calls that need not outlive it. */
export class MemorySuspensionStore implements SuspensionStore {
  readonly #calls = new Map<string, Uint8Array>()
  readonly #claims = new Map<string, SuspensionClaim>()
  readonly #handlers = new Map<string, Uint8Array>()

  /** See {@link SuspensionStore.save}. */
  async save(callId: string, image: Uint8Array): Promise<void> {
    this.#calls.set(callId, image)
  }

  /** See {@link SuspensionStore.load}. */
  async load(callId: string): Promise<Uint8Array | undefined> {
    return this.#calls.get(callId)
  }

  /** See {@link SuspensionStore.list}. */
  async list(): Promise<string[]> {
    return [...this.#calls.keys()]
  }

  /** See {@link SuspensionStore.claim}. */
  async claim(callId: string, claim: SuspensionClaim): Promise<'won' | 'held'> {
    const held = this.#claims.get(callId)
    if (held && held.until > Date.now()) return 'held'
    this.#claims.set(callId, claim)
    return 'won'
  }

  /** See {@link SuspensionStore.holds}. */
  async holds(callId: string, token: string): Promise<boolean> {
    return this.#claims.get(callId)?.token === token
  }

  /** See {@link SuspensionStore.release}. */
  async release(callId: string, token: string): Promise<void> {
    if (this.#claims.get(callId)?.token === token) this.#claims.delete(callId)
  }

  /** See {@link SuspensionStore.remove}. */
  async remove(callId: string): Promise<void> {
    this.#calls.delete(callId)
    this.#claims.delete(callId)
  }

  /** See {@link SuspensionStore.saveHandler}. */
  async saveHandler(hash: string, image: Uint8Array): Promise<void> {
    if (!this.#handlers.has(hash)) this.#handlers.set(hash, image)
  }

  /** See {@link SuspensionStore.loadHandler}. */
  async loadHandler(hash: string): Promise<Uint8Array | undefined> {
    return this.#handlers.get(hash)
  }
}
