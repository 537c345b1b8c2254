/** A consumer whose claims are kept; whatever else keeping them takes goes with it. */
export interface GuardedConsumer {
  id: string
  /** A claim that was not extended for so long is lost. */
  lapseMs: number
}

/** What the main thread tells the guard: claims it took and claims it settled. */
export interface GuardMessage {
  held: { consumer: GuardedConsumer; claims: string[] }[]
  released: { id: string; claims: string[] }[]
}

/** What the guard is started with. */
export interface GuardData {
  /** Monotonic milliseconds (`process.hrtime`) of the main thread's last sign of life, in the one element of a BigInt64Array. */
  beat: SharedArrayBuffer
  /** What it takes to reach the server. */
  options: unknown
}
