/** What the sandbox gives Node's modules; its prelude puts it on the global object before any handler is loaded. */
export interface PlatformHost {
  /** The environment variables that are granted to the call under way; empty while the module loads. */
  readonly env: Readonly<Record<string, string>>
  /** Called when the handler, a timer's callback or an answer has run, before the promise jobs of it. */
  turnEnded: (() => void) | undefined
}

/** @see PlatformHost */
export const platformHost: PlatformHost = (
  globalThis as unknown as Record<symbol, PlatformHost | undefined>
)[Symbol.for('nexus_platform')] ?? { env: {}, turnEnded: undefined }
