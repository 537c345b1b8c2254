/** The right to resume a call, for a while. */
export interface SuspensionClaim {
  /** Unique to the one who claims. */
  readonly token: string
  /** When another may claim it, in milliseconds since the epoch: the one before is taken to be dead then. */
  readonly until: number
}

/**
 * Keeps suspended calls. What it stores is sealed: it needs to know nothing of it. Each method resolves when what it did
 * outlives the process, as far as the store promises that at all.
 */
export interface SuspensionStore {
  /** Stores a call, or replaces what is stored of it. */
  save(callId: string, image: Uint8Array): Promise<void>
  /** What is stored of a call; `undefined` where there is nothing. */
  load(callId: string): Promise<Uint8Array | undefined>
  /** The ids of all calls that are stored. */
  list(): Promise<string[]>
  /**
   * Claims a call. Of several callers at once, in whatever process, one is told `won`.
   *
   * @returns `held` while the claim of another lasts
   */
  claim(callId: string, claim: SuspensionClaim): Promise<'won' | 'held'>
  /** Whether the claim with this token is the last one that was won, and was not given back. */
  holds(callId: string, token: string): Promise<boolean>
  /** Gives a claim back. */
  release(callId: string, token: string): Promise<void>
  /** Removes a call and the claims on it. */
  remove(callId: string): Promise<void>
  /** Stores the image of a handler by its hash; what is there already stays. */
  saveHandler(hash: string, image: Uint8Array): Promise<void>
  /** The image of a handler. */
  loadHandler(hash: string): Promise<Uint8Array | undefined>
}
