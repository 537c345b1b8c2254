export type Name = string | symbol
// biome-ignore lint/suspicious/noExplicitAny: what listeners take is between them and who emits
export type Listener = ((...args: any[]) => unknown) & { listener?: Listener }

export interface Emitter {
  _events: Record<Name, Listener | Listener[]> | undefined
  _eventsCount: number
  _maxListeners: number | undefined
  [member: Name]: unknown
  on(name: Name, listener: Listener): this
  once(name: Name, listener: Listener): this
  emit(name: Name, ...args: unknown[]): boolean
  removeListener(name: Name, listener: Listener): this
  listeners(name: Name): Listener[]
  getMaxListeners(): number
}
