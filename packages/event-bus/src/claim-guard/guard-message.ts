/** A consumer whose claims are extended, with all that this takes. */
export interface GuardedConsumer {
  /** Names the consumer among those of its process. */
  id: string
  /** A claim that was not extended for this many milliseconds is lost. */
  lapseMs: number
}

/** What the main thread tells the guard: claims it took and claims it settled. */
export interface GuardMessage {
  added: { consumer: GuardedConsumer; claims: string[] }[]
  removed: { id: string; claims: string[] }[]
}

/** What the guard is started with. */
export interface GuardData {
  /** Monotonic milliseconds (`process.hrtime`) of the main thread's last sign of life, in the one element of a BigInt64Array. */
  beat: SharedArrayBuffer
  /** What it takes to reach the server. */
  options: unknown
}
