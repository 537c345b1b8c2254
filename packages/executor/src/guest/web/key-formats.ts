/**
 * Makes `crypto.subtle` read and write keys as SPKI, PKCS #8 and JWK.
 *
 * The engine (quickjs-wasi 3.6.2) takes and gives the bare key under these names: the point and the
 * scalar of an elliptic curve, the PKCS #1 structure of RSA. Here they are wrapped as RFC 5280,
 * RFC 5958 and RFC 7518 say, and as every other implementation does.
 *
 * The guest gets the source of this function: it may use nothing but globals.
 */
export function installKeyFormats(): void {
  const { SubtleCrypto } = globalThis
  const engine = Object.getOwnPropertyDescriptors(SubtleCrypto.prototype)
  const importKey = engine.importKey!.value as SubtleCrypto['importKey']
  const exportKey = engine.exportKey!.value as (
    this: SubtleCrypto,
    format: string,
    key: CryptoKey,
  ) => Promise<ArrayBuffer>

  const INTEGER = 0x02
  const BIT_STRING = 0x03
  const OCTET_STRING = 0x04
  const SEQUENCE = 0x30
  const RSA = '300d06092a864886f70d0101010500'
  const CURVES: Record<string, { identifier: string; bytes: number }> = {
    'P-256': { identifier: '301306072a8648ce3d020106082a8648ce3d030107', bytes: 32 },
    'P-384': { identifier: '301006072a8648ce3d020106052b81040022', bytes: 48 },
    'P-521': { identifier: '301006072a8648ce3d020106052b81040023', bytes: 66 },
  }
  const RSA_PRIVATE = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const

  interface Kind {
    /** The DER of the AlgorithmIdentifier, in hexadecimal. */
    identifier: string
    curve: string | undefined
    bytes: number
  }

  const kindOf = (algorithm: unknown): Kind | undefined => {
    const { name, namedCurve } = (
      typeof algorithm === 'string' ? { name: algorithm } : Object(algorithm)
    ) as { name?: unknown; namedCurve?: unknown }
    const upper = String(name).toUpperCase()
    if (upper.startsWith('RSA')) return { identifier: RSA, curve: undefined, bytes: 0 }
    if (upper !== 'ECDSA' && upper !== 'ECDH') return undefined
    const curve = CURVES[String(namedCurve)]
    return curve && { ...curve, curve: String(namedCurve) }
  }
  const dataError = (why: string) => new DOMException(`The key cannot be read: ${why}`, 'DataError')
  const notSupported = (what: string) =>
    new DOMException(`${what} is not supported`, 'NotSupportedError')

  const fromHex = (hex: string) => Uint8Array.fromHex(hex)
  const concat = (...parts: Uint8Array[]) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
  const der = (tag: number, ...parts: Uint8Array[]) => {
    const content = concat(...parts)
    const { length } = content
    const head =
      length < 0x80
        ? [length]
        : length < 0x100
          ? [0x81, length]
          : [0x82, length >> 8, length & 0xff]
    return concat(new Uint8Array([tag, ...head]), content)
  }
  /** An unsigned number: without leading zeros, but for one that keeps it positive. */
  const integer = (bytes: Uint8Array) => {
    let start = 0
    while (start < bytes.length - 1 && bytes[start] === 0) start++
    const trimmed = bytes.subarray(start)
    return der(INTEGER, new Uint8Array(trimmed[0]! >= 0x80 ? 1 : 0), trimmed)
  }

  /** Reads what stands one after the other: `[tag, content, whole]` of each. */
  const readAll = (bytes: Uint8Array): [tag: number, content: Uint8Array, whole: Uint8Array][] => {
    const values: [number, Uint8Array, Uint8Array][] = []
    for (let at = 0; at < bytes.length; ) {
      const start = at
      const tag = bytes[at++]!
      let length = bytes[at++] ?? 0
      if (length === 0x80) throw dataError('its DER has no length')
      if (length > 0x80) {
        const count = length - 0x80
        length = 0
        for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] ?? 0)
      }
      if (at + length > bytes.length) throw dataError('its DER is cut short')
      values.push([tag, bytes.subarray(at, at + length), bytes.subarray(start, at + length)])
      at += length
    }
    return values
  }
  const readOne = (bytes: Uint8Array, tag: number) => {
    const values = readAll(bytes)
    if (values.length !== 1 || values[0]![0] !== tag)
      throw dataError('its DER is of something else')
    return values[0]![1]
  }
  const part = (values: ReturnType<typeof readAll>, index: number, tag: number) => {
    const value = values[index]
    if (value?.[0] !== tag) throw dataError('its DER is of something else')
    return value
  }
  const checkIdentifier = (whole: Uint8Array, kind: Kind) => {
    if (whole.toHex() !== kind.identifier) throw dataError('it is of another algorithm')
  }

  const zero = new Uint8Array(1)
  const wrapPublic = (kind: Kind, bare: Uint8Array) =>
    der(SEQUENCE, fromHex(kind.identifier), der(BIT_STRING, zero, bare))
  const wrapPrivate = (kind: Kind, bare: Uint8Array) => {
    const inner = kind.curve
      ? der(SEQUENCE, integer(new Uint8Array([1])), der(OCTET_STRING, bare))
      : bare
    return der(SEQUENCE, integer(zero), fromHex(kind.identifier), der(OCTET_STRING, inner))
  }
  const unwrapPublic = (kind: Kind, bytes: Uint8Array) => {
    const values = readAll(readOne(bytes, SEQUENCE))
    checkIdentifier(part(values, 0, SEQUENCE)[2], kind)
    return part(values, 1, BIT_STRING)[1].slice(1)
  }
  const unwrapPrivate = (kind: Kind, bytes: Uint8Array) => {
    const values = readAll(readOne(bytes, SEQUENCE))
    checkIdentifier(part(values, 1, SEQUENCE)[2], kind)
    const inner = part(values, 2, OCTET_STRING)[1]
    return kind.curve
      ? part(readAll(readOne(inner, SEQUENCE)), 1, OCTET_STRING)[1].slice()
      : inner.slice()
  }

  const fromBase64Url = (text: unknown) => {
    if (typeof text !== 'string') throw dataError('a part of the JWK is missing')
    return Uint8Array.fromBase64(text, { alphabet: 'base64url' })
  }
  const toBase64Url = (bytes: Uint8Array) =>
    bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
  const bytesOf = (data: BufferSource) =>
    ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data)

  const fromJwk = (jwk: JsonWebKey, kind: Kind | undefined): [format: string, bare: Uint8Array] => {
    if (jwk.kty === 'oct') return ['raw', fromBase64Url(jwk.k)]
    if (jwk.kty === 'RSA' && kind && !kind.curve) {
      const numbers = (names: readonly (typeof RSA_PRIVATE)[number][]) =>
        names.map((name) => integer(fromBase64Url(jwk[name])))
      return jwk.d === undefined
        ? ['spki', der(SEQUENCE, ...numbers(['n', 'e']))]
        : ['pkcs8', der(SEQUENCE, integer(zero), ...numbers(RSA_PRIVATE))]
    }
    if (jwk.kty === 'EC' && kind?.curve && jwk.crv === kind.curve) {
      if (jwk.d !== undefined) return ['pkcs8', fromBase64Url(jwk.d)]
      return ['spki', concat(new Uint8Array([4]), fromBase64Url(jwk.x), fromBase64Url(jwk.y))]
    }
    throw dataError('the JWK is of another algorithm')
  }
  const toJwk = (key: CryptoKey, kind: Kind | undefined, bare: Uint8Array): JsonWebKey => {
    const common = { key_ops: [...key.usages], ext: key.extractable }
    if (key.type === 'secret') return { ...common, kty: 'oct', k: toBase64Url(bare) }
    if (kind?.curve) {
      if (key.type === 'private') throw notSupported('A private key of a curve as JWK')
      const [x, y] = [bare.subarray(1, 1 + kind.bytes), bare.subarray(1 + kind.bytes)]
      return { ...common, kty: 'EC', crv: kind.curve, x: toBase64Url(x), y: toBase64Url(y) }
    }
    const numbers = readAll(readOne(bare, SEQUENCE)).map(([, content]) =>
      toBase64Url(content[0] === 0 ? content.subarray(1) : content),
    )
    const names = key.type === 'private' ? [undefined, ...RSA_PRIVATE] : ['n', 'e']
    const fields = names.map((name, i) => [name, numbers[i]] as const).filter(([name]) => name)
    return { ...common, kty: 'RSA', ...Object.fromEntries(fields) }
  }

  const methods = {
    async importKey(
      this: SubtleCrypto,
      format: string,
      data: BufferSource | JsonWebKey,
      algorithm: unknown,
      extractable: boolean,
      usages: KeyUsage[],
    ) {
      const kind = kindOf(algorithm)
      const give = (as: string, bytes: Uint8Array) =>
        importKey.call(
          this,
          as as 'raw',
          bytes as Uint8Array<ArrayBuffer>,
          algorithm as AlgorithmIdentifier,
          extractable,
          usages,
        )
      if (format === 'jwk') return give(...fromJwk(data as JsonWebKey, kind))
      const bytes = bytesOf(data as BufferSource)
      if (format === 'raw') return give('raw', bytes)
      if (!kind) throw notSupported(`The format ${format} for this algorithm`)
      if (format === 'spki') return give('spki', unwrapPublic(kind, bytes))
      if (format === 'pkcs8') return give('pkcs8', unwrapPrivate(kind, bytes))
      throw notSupported(`The format ${format}`)
    },
    async exportKey(this: SubtleCrypto, format: string, key: CryptoKey) {
      const bareOf = async (as: 'raw' | 'spki' | 'pkcs8') =>
        new Uint8Array(await exportKey.call(this, as, key))
      const kind = kindOf(key.algorithm)
      const isPrivate = key.type === 'private'
      const native = key.type === 'secret' ? 'raw' : isPrivate ? 'pkcs8' : 'spki'
      if (format === 'jwk') return toJwk(key, kind, await bareOf(native))
      const hasRaw = key.type === 'secret' || (key.type === 'public' && kind?.curve !== undefined)
      if (format === 'raw' && hasRaw) return exportKey.call(this, 'raw', key)
      if (!kind || native !== format) {
        throw notSupported(`The format ${format} for a ${key.type} key of this algorithm`)
      }
      const bare = await bareOf(native)
      return (isPrivate ? wrapPrivate(kind, bare) : wrapPublic(kind, bare)).buffer
    },
  }
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(SubtleCrypto.prototype, name, {
      value: method,
      writable: true,
      configurable: true,
    })
  }
}

declare global {
  // In the engine; not yet in the declarations of TypeScript 5.9.
  interface Uint8ArrayConstructor {
    fromHex(text: string): Uint8Array<ArrayBuffer>
    fromBase64(text: string, options?: { alphabet?: 'base64url' }): Uint8Array<ArrayBuffer>
  }
  interface Uint8Array {
    toHex(): string
    toBase64(options?: { alphabet?: 'base64url'; omitPadding?: boolean }): string
  }
}
