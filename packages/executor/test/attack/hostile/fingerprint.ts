/**
 * Source of a guest function that walks everything reachable from `globalThis` without running a
 * getter: names, flags, prototypes, primitive values, and which object is which. Its result is one
 * hash for each global, so that a difference names what was changed.
 */
export const FINGERPRINT = `
const fingerprint = () => {
  const ids = new Map()
  const describe = (value) =>
    (typeof value === 'object' && value !== null) || typeof value === 'function'
      ? '#' + (ids.get(value) ?? (queue.push(value), ids.set(value, ids.size), ids.size - 1))
      : typeof value + ':' + String(value)
  let queue = []
  const hashes = {}
  for (const name of Reflect.ownKeys(globalThis)) {
    let text = ''
    const show = (object, key) => {
      const it = Object.getOwnPropertyDescriptor(object, key)
      text += String(key) + (it.writable ? 'w' : '') + (it.enumerable ? 'e' : '') + (it.configurable ? 'c' : '')
      text += 'value' in it ? describe(it.value) : describe(it.get) + describe(it.set)
    }
    show(globalThis, name)
    while (queue.length > 0) {
      const object = queue.pop()
      text += describe(Object.getPrototypeOf(object)) + Object.isExtensible(object)
      for (const key of Reflect.ownKeys(object)) if (object !== globalThis) show(object, key)
    }
    let hash = 2166136261
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
    hashes[String(name)] = text.length + '-' + (hash >>> 0)
  }
  return hashes
}`

/** A handler that does no harm, and sees whether another one did. */
export const INNOCENT = `${FINGERPRINT}
let calls = 0
export default async (event, ctx) => {
  await null
  ctx.log.info('innocent', { n: event.n })
  await ctx.emit('innocent.done', { n: event.n })
  return { calls: ++calls, doubled: event.n * 2, echo: await ctx.call('host', 'echo', event.n), globals: fingerprint() }
}`

/** What a guest would have to change on the host to do harm there. */
export function hostFingerprint(): string {
  const targets = [Object, Array, Function, Promise, Error, Map, Set, String, RegExp, Uint8Array]
  return JSON.stringify([
    Reflect.ownKeys(globalThis).length,
    ...[...targets, ...targets.map((target) => target.prototype), JSON, Reflect].map((target) =>
      Reflect.ownKeys(target).map(String),
    ),
  ])
}
