import type { GuestKit, PartExports } from './kit.js'
import type { NativeGlobal, PartName } from './part.js'

/** What the prelude gives the parts of the platform, and how they get to the native extensions of the engine. */
export interface PlatformParts extends Pick<GuestKit, 'fetch' | 'host' | 'setTimeout' | 'report'> {
  /** The globals of the engine that only parts of the platform get. */
  nativeGlobals: readonly NativeGlobal[]
  /** Has the host install a part, through `install`; throws where it could not. */
  requestPart(name: PartName): void
}

/** The parts of the platform that are installed in the guest. */
export interface Platform {
  readonly loaded: Partial<PartExports>
  /** @param part what the source of the part evaluates to */
  install(name: PartName, part: (kit: GuestKit) => unknown): void
}

/**
 * Makes the kit that parts are installed with. It is in every image, so it is kept small.
 *
 * The guest gets the source of this function: it may use nothing but its argument and globals.
 */
export function createPlatform(parts: PlatformParts): Platform {
  const { nativeGlobals, requestPart } = parts
  const {
    defineProperty,
    getOwnPropertyDescriptor,
    getOwnPropertyNames,
    getPrototypeOf,
    hasOwn,
    keys,
    prototype: ObjectPrototype,
  } = Object
  const { toStringTag } = Symbol
  const loaded = { __proto__: null } as unknown as Record<string, unknown>
  const native = { __proto__: null } as unknown as Record<string, unknown>
  for (const name of nativeGlobals) {
    native[name] = globalThis[name]
    delete (globalThis as Record<string, unknown>)[name]
  }
  const define = (target: object, key: PropertyKey, value: unknown, writable: boolean) =>
    defineProperty(target, key, {
      __proto__: null,
      value,
      writable,
      configurable: true,
    } as PropertyDescriptor)

  const exposed = new Set<object>()
  /** As WebIDL says: members are enumerable, and those of a parent that is no interface of its own are the interface's. */
  const finish = (prototype: object) => {
    exposed.add(prototype)
    let at = prototype
    do {
      for (const key of getOwnPropertyNames(at)) {
        if (key === 'constructor' || (at !== prototype && hasOwn(prototype, key))) continue
        const member = getOwnPropertyDescriptor(at, key) as PropertyDescriptor
        defineProperty(prototype, key, { ...member, enumerable: true })
      }
      at = getPrototypeOf(at)
    } while (at !== null && at !== ObjectPrototype && !exposed.has(at))
  }

  const kit = {
    native,
    need(name: PartName) {
      if (!(name in loaded)) requestPart(name)
      return loaded[name]
    },
    loaded: (name: string) => loaded[name],
    expose(globals: Record<string, unknown>) {
      for (const name of keys(globals)) {
        const value = globals[name]
        define(globalThis, name, value, true)
        if (typeof value !== 'function') continue
        // A bundler may have renamed it.
        define(value, 'name', name, false)
        if (value.prototype === undefined) continue
        define(value.prototype, toStringTag, name, false)
        finish(value.prototype)
      }
    },
    fetch: parts.fetch,
    host: parts.host,
    setTimeout: parts.setTimeout,
    report: parts.report,
  } as GuestKit

  return {
    loaded: loaded as Partial<PartExports>,
    install(name, part) {
      loaded[name] = part(kit)
    },
  }
}
