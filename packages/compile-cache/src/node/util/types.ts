const { getOwnPropertyDescriptor, getPrototypeOf } = Object
const TypedArray = getPrototypeOf(Uint8Array) as { prototype: object }

/** Whether a getter or method of the language takes the value for one of its kind; no property of it can pretend that. */
function isBranded(read: (value: never) => unknown): (value: unknown) => boolean {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    try {
      read(value as never)
      return true
    } catch {
      return false
    }
  }
}

function getter(prototype: object, name: PropertyKey): (value: never) => unknown {
  const { get } = getOwnPropertyDescriptor(prototype, name)!
  return (value) => get!.call(value)
}

const tagOf = getter(TypedArray.prototype, Symbol.toStringTag) as (
  value: unknown,
) => string | undefined
const textOf = (value: unknown) => Object.prototype.toString.call(value)
const isTagged = (tag: string) => (value: unknown) =>
  typeof value === 'object' && value !== null && textOf(value) === `[object ${tag}]`
const isArrayOf = (name: string) => (value: unknown) => tagOf(value) === name

const weakMapHas = WeakMap.prototype.has as (this: WeakMap<object, unknown>, key: object) => boolean
const weakSetHas = WeakSet.prototype.has as (this: WeakSet<object>, key: object) => boolean
const functionTag = (value: unknown, tags: readonly string[]) =>
  typeof value === 'function' &&
  tags.includes((value as unknown as Record<symbol, string>)[Symbol.toStringTag]!)

export const isArrayBuffer = isBranded(getter(ArrayBuffer.prototype, 'byteLength'))
export const isSharedArrayBuffer = isBranded(getter(SharedArrayBuffer.prototype, 'byteLength'))
export const isAnyArrayBuffer = (value: unknown) =>
  isArrayBuffer(value) || isSharedArrayBuffer(value)
export const isArrayBufferView = (value: unknown) => ArrayBuffer.isView(value)
export const isDataView = (value: unknown) =>
  ArrayBuffer.isView(value) && tagOf(value) === undefined
export const isTypedArray = (value: unknown) => tagOf(value) !== undefined
export const isInt8Array = isArrayOf('Int8Array')
export const isUint8Array = isArrayOf('Uint8Array')
export const isUint8ClampedArray = isArrayOf('Uint8ClampedArray')
export const isInt16Array = isArrayOf('Int16Array')
export const isUint16Array = isArrayOf('Uint16Array')
export const isInt32Array = isArrayOf('Int32Array')
export const isUint32Array = isArrayOf('Uint32Array')
export const isFloat32Array = isArrayOf('Float32Array')
export const isFloat64Array = isArrayOf('Float64Array')
export const isBigInt64Array = isArrayOf('BigInt64Array')
export const isBigUint64Array = isArrayOf('BigUint64Array')
export const isMap = isBranded(getter(Map.prototype, 'size'))
export const isSet = isBranded(getter(Set.prototype, 'size'))
export const isWeakMap = isBranded((value) => weakMapHas.call(value, {}))
export const isWeakSet = isBranded((value) => weakSetHas.call(value, {}))
export const isDate = isBranded((value) => Date.prototype.getTime.call(value))
export const isRegExp = isBranded(
  (value) => value !== (RegExp.prototype as never) && getter(RegExp.prototype, 'source')(value),
)
export const isPromise = (value: unknown) => value instanceof Promise
export const isNativeError = (value: unknown): value is Error =>
  (Error as unknown as { isError?(value: unknown): boolean }).isError?.(value) ??
  value instanceof Error
export const isNumberObject = isBranded((value) => Number.prototype.valueOf.call(value))
export const isStringObject = isBranded((value) => String.prototype.valueOf.call(value))
export const isBooleanObject = isBranded((value) => Boolean.prototype.valueOf.call(value))
export const isSymbolObject = isBranded((value) => Symbol.prototype.valueOf.call(value))
export const isBigIntObject = isBranded((value) => BigInt.prototype.valueOf.call(value))
export const isBoxedPrimitive = (value: unknown) =>
  isNumberObject(value) ||
  isStringObject(value) ||
  isBooleanObject(value) ||
  isSymbolObject(value) ||
  isBigIntObject(value)
export const isArgumentsObject = (value: unknown) =>
  isTagged('Arguments')(value) && !Object.hasOwn(value as object, Symbol.toStringTag)
export const isMapIterator = isTagged('Map Iterator')
export const isSetIterator = isTagged('Set Iterator')
export const isGeneratorObject = isTagged('Generator')
export const isModuleNamespaceObject = isTagged('Module')
export const isAsyncFunction = (value: unknown) =>
  functionTag(value, ['AsyncFunction', 'AsyncGeneratorFunction'])
export const isGeneratorFunction = (value: unknown) =>
  functionTag(value, ['GeneratorFunction', 'AsyncGeneratorFunction'])
export const isProxy = () => false
export const isExternal = () => false
export const isCryptoKey = isTagged('CryptoKey')
export const isKeyObject = isTagged('KeyObject')

export default {
  isAnyArrayBuffer,
  isArgumentsObject,
  isArrayBuffer,
  isArrayBufferView,
  isAsyncFunction,
  isBigInt64Array,
  isBigIntObject,
  isBigUint64Array,
  isBooleanObject,
  isBoxedPrimitive,
  isCryptoKey,
  isDataView,
  isDate,
  isExternal,
  isFloat32Array,
  isFloat64Array,
  isGeneratorFunction,
  isGeneratorObject,
  isInt16Array,
  isInt32Array,
  isInt8Array,
  isKeyObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isNumberObject,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSetIterator,
  isSharedArrayBuffer,
  isStringObject,
  isSymbolObject,
  isTypedArray,
  isUint16Array,
  isUint32Array,
  isUint8Array,
  isUint8ClampedArray,
  isWeakMap,
  isWeakSet,
}
