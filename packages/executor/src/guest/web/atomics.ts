import type { GuestKit } from '../platform/kit.js'

/**
 * Installs Atomics, which the engine (quickjs-wasi 3.6.2) lacks. A sandbox has one thread, and no memory is shared with another:
 * plain reads and writes are atomic, no one can be woken, and nothing may wait.
 */
export function installAtomics(kit: GuestKit): void {
  type Integers = Int32Array | BigInt64Array
  type Value = number | bigint
  const { trunc } = Math
  const { getPrototypeOf, getOwnPropertyDescriptor } = Object
  const KINDS = [
    'Int8Array',
    'Uint8Array',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'BigInt64Array',
    'BigUint64Array',
  ]
  const WAITABLE = ['Int32Array', 'BigInt64Array']
  const kindOf = Function.prototype.call.bind(
    getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
      .get as () => unknown,
  ) as (value: unknown) => string

  const check = (array: unknown, index: unknown, kinds = KINDS): number => {
    if (!kinds.includes(kindOf(array))) {
      throw new TypeError(`Atomics: expected one of ${kinds.join(', ')}`)
    }
    const at = trunc(Number(index)) || 0
    if (at < 0 || at >= (array as Integers).length) {
      throw new RangeError(`Atomics: the index ${at} is outside of the array`)
    }
    return at
  }
  const valueFor = (array: Integers, value: unknown): Value =>
    kindOf(array).startsWith('Big') ? BigInt.asIntN(64, value as bigint) : trunc(Number(value)) || 0
  const update =
    (change: (old: never, value: never) => Value) =>
    (array: Integers, index: unknown, value: unknown): Value => {
      const at = check(array, index)
      const given = valueFor(array, value)
      const old = array[at]!
      array[at] = change(old as never, given as never) as never
      return old
    }
  const methods = {
    add: update((old: number, value: number) => old + value),
    and: update((old: number, value: number) => old & value),
    compareExchange(array: Integers, index: unknown, expected: unknown, value: unknown): Value {
      const at = check(array, index)
      const wanted = array.slice(0, 1)
      wanted[0] = valueFor(array, expected) as never
      const given = valueFor(array, value)
      const old = array[at]!
      if (old === wanted[0]) array[at] = given as never
      return old
    },
    exchange: update((_old: number, value: number) => value),
    isLockFree: (size: unknown) => [1, 2, 4, 8].includes(trunc(Number(size))),
    load: (array: Integers, index: unknown): Value => array[check(array, index)]!,
    notify(array: Integers, index: unknown, count?: unknown) {
      check(array, index, WAITABLE)
      if (count !== undefined) Number(count)
      return 0
    },
    or: update((old: number, value: number) => old | value),
    store(array: Integers, index: unknown, value: unknown): Value {
      const at = check(array, index)
      const given = valueFor(array, value)
      array[at] = given as never
      return given
    },
    sub: update((old: number, value: number) => old - value),
    wait(array: Integers, index: unknown) {
      check(array, index, WAITABLE)
      throw new TypeError('Atomics.wait: a sandbox has one thread, which must not wait')
    },
    xor: update((old: number, value: number) => old ^ value),
  }
  const api = {}
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(api, name, { value: method, writable: true, configurable: true })
  }
  Object.defineProperty(api, Symbol.toStringTag, { value: 'Atomics', configurable: true })
  kit.expose({ Atomics: api })
}
