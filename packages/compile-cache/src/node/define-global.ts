/** Makes a global of Node, unless the program has one of that name. */
export function defineGlobal(name: string, value: unknown): void {
  if (name in globalThis) return
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
}
