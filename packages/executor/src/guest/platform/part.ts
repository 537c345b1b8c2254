/** A piece of the platform that a handler has when its code names one of its words. */
export interface Part {
  /** The globals that it adds. */
  readonly globals: readonly string[]
  /** Words of code that call for it and are no globals. */
  readonly words?: readonly string[]
  /** The parts that it asks its kit for: while it is installed, or when one of its functions is called. */
  readonly needs?: readonly PartName[]
  /** Whether it is made of what the engine's native extensions give (`kit.native`). */
  readonly native?: true
  /** Source of an expression: a function of the kit that installs the part, and gives what other parts use of it. */
  source(): string
}

export type PartName =
  | 'argument-errors'
  | 'atomics'
  | 'base64'
  | 'blob'
  | 'body'
  | 'bytes'
  | 'compression'
  | 'crypto'
  | 'encoding'
  | 'event-kinds'
  | 'events'
  | 'fetch'
  | 'form-data'
  | 'global-scope'
  | 'headers'
  | 'intl'
  | 'messaging'
  | 'microtasks'
  | 'node'
  | 'node-streams'
  | 'performance'
  | 'streams'
  | 'structured-clone'
  | 'text-streams'
  | 'url'
  | 'url-pattern'
  | 'weak-ref'

/** What the engine's native extensions put on the global object: the prelude hands it to the parts instead. */
export const NATIVE_GLOBALS = [
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'Headers',
  'structuredClone',
] as const

export type NativeGlobal = (typeof NATIVE_GLOBALS)[number]
