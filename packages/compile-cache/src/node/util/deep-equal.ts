import {
  isAnyArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isMap,
  isNativeError,
  isRegExp,
  isSet,
} from './types.js'

type Fields = Record<PropertyKey, unknown>

/** Pairs that are being compared: a cycle is equal where the other has one as well. */
type Pairs = Map<object, object>

const { getPrototypeOf, hasOwn, is, keys } = Object

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Whether two values are equal as `assert.deepStrictEqual` says, or `assert.deepEqual` where not `strict`. */
export function isDeepEqual(
  a: unknown,
  b: unknown,
  strict: boolean,
  pairs: Pairs = new Map(),
): boolean {
  if (a === b) return a !== 0 || !strict || is(a, b)
  if (!isObject(a) || !isObject(b)) {
    if (strict) return is(a, b)
    if (isObject(a) || isObject(b)) return false
    // biome-ignore lint/suspicious/noDoubleEquals: this is what `assert.equal` means
    return a == b || (is(a, Number.NaN) && is(b, Number.NaN))
  }
  if (strict && getPrototypeOf(a) !== getPrototypeOf(b)) return false
  if (tag(a) !== tag(b)) return false
  if (pairs.get(a) === b) return true
  pairs.set(a, b)
  const equal = areEqualObjects(a, b, strict, pairs)
  pairs.delete(a)
  return equal
}

function tag(value: object): string {
  return Object.prototype.toString.call(value)
}

function areEqualObjects(a: object, b: object, strict: boolean, pairs: Pairs): boolean {
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false
  } else if (isDate(a)) {
    if (!isDate(b) || !is((a as Date).getTime(), (b as Date).getTime())) return false
  } else if (isRegExp(a)) {
    const [one, other] = [a as RegExp, b as RegExp]
    if (
      !isRegExp(b) ||
      one.source !== other.source ||
      one.flags !== other.flags ||
      one.lastIndex !== other.lastIndex
    )
      return false
  } else if (isNativeError(a) || a instanceof Error) {
    const [one, other] = [a as Error, b as Error]
    if (!(b instanceof Error) || one.message !== other.message || one.name !== other.name)
      return false
    for (const name of ['cause', 'errors'] as const) {
      if (hasOwn(a, name) !== hasOwn(b, name)) return false
      if (
        !isDeepEqual((a as unknown as Fields)[name], (b as unknown as Fields)[name], strict, pairs)
      )
        return false
    }
  } else if (ArrayBuffer.isView(a)) {
    if (!ArrayBuffer.isView(b) || !areEqualViews(a, b, strict)) return false
    return haveEqualFields(
      a,
      b,
      strict,
      pairs,
      fieldsOf(a, strict).filter(isNoIndex),
      fieldsOf(b, strict).filter(isNoIndex),
    )
  } else if (isAnyArrayBuffer(a)) {
    if (
      !isAnyArrayBuffer(b) ||
      !areEqualBytes(new Uint8Array(a as ArrayBuffer), new Uint8Array(b as ArrayBuffer))
    )
      return false
  } else if (isBoxedPrimitive(a)) {
    if (!isBoxedPrimitive(b) || !is(a.valueOf(), b.valueOf())) return false
  } else if (isSet(a)) {
    if (!isSet(b) || !areEqualSets(a as Set<unknown>, b as Set<unknown>, strict, pairs))
      return false
  } else if (isMap(a)) {
    if (
      !isMap(b) ||
      !areEqualMaps(a as Map<unknown, unknown>, b as Map<unknown, unknown>, strict, pairs)
    )
      return false
  } else if (
    isBoxedPrimitive(b) ||
    isSet(b) ||
    isMap(b) ||
    isDate(b) ||
    isRegExp(b) ||
    b instanceof Error
  )
    return false
  else if (a instanceof WeakMap || a instanceof WeakSet || a instanceof Promise) return false
  return haveEqualFields(a, b, strict, pairs, fieldsOf(a, strict), fieldsOf(b, strict))
}

function isNoIndex(key: PropertyKey): boolean {
  return typeof key === 'symbol' || !/^(?:0|[1-9]\d*)$/.test(String(key))
}

function fieldsOf(value: object, strict: boolean): PropertyKey[] {
  const symbols = strict
    ? Object.getOwnPropertySymbols(value).filter((key) =>
        Object.prototype.propertyIsEnumerable.call(value, key),
      )
    : []
  return [...keys(value), ...symbols]
}

function haveEqualFields(
  a: object,
  b: object,
  strict: boolean,
  pairs: Pairs,
  ofA: PropertyKey[],
  ofB: PropertyKey[],
): boolean {
  if (ofA.length !== ofB.length) return false
  return ofA.every(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(b, key) &&
      isDeepEqual((a as Fields)[key], (b as Fields)[key], strict, pairs),
  )
}

function areEqualViews(a: ArrayBufferView, b: ArrayBufferView, strict: boolean): boolean {
  const areFloats = a instanceof Float32Array || a instanceof Float64Array
  if (!strict && areFloats) {
    const [one, other] = [a as Float64Array, b as Float64Array]
    return one.length === other.length && one.every((value, i) => value === other[i])
  }
  return areEqualBytes(bytesOf(a), bytesOf(b))
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function areEqualBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function areEqualSets(a: Set<unknown>, b: Set<unknown>, strict: boolean, pairs: Pairs): boolean {
  if (a.size !== b.size) return false
  const left = [...b].filter((member) => !a.has(member))
  for (const member of a) {
    if (b.has(member)) continue
    if (strict && !isObject(member)) return false
    const at = left.findIndex((other) => isDeepEqual(member, other, strict, pairs))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return true
}

function areEqualMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  strict: boolean,
  pairs: Pairs,
): boolean {
  if (a.size !== b.size) return false
  const left = [...b].filter(([key]) => !a.has(key))
  for (const [key, value] of a) {
    if (b.has(key)) {
      if (!isDeepEqual(value, b.get(key), strict, pairs)) return false
      continue
    }
    if (strict && !isObject(key)) return false
    const at = left.findIndex(
      ([otherKey, other]) =>
        isDeepEqual(key, otherKey, strict, pairs) && isDeepEqual(value, other, strict, pairs),
    )
    if (at < 0) return false
    left.splice(at, 1)
  }
  return true
}
