import type { GuestNative } from '../../native.js'
import type { PartExports } from '../../platform/kit.js'
import type { createParameterWriters, ParameterWriter } from './parameter-writer.js'

interface KeyFacts {
  id: number
  type: KeyType
  extractable: boolean
  algorithm: KeyAlgorithm & { publicExponent?: unknown }
  usages: KeyUsage[]
}

/** What `crypto.subtle` is made of. */
export interface SubtleClasses {
  CryptoKey: unknown
  SubtleCrypto: unknown
  subtle: SubtleCrypto
  /** Another object of the same key, or `undefined` for what is no CryptoKey. */
  copyKey(value: object): object | undefined
  /** What the error of a call with too few arguments says. */
  missing(method: string, api: string, wanted: number, given: number): string
}

/**
 * Makes `crypto.subtle`: Node's own, behind the native services `subtle.*`. The material of keys stays with the host; a
 * CryptoKey holds the id under which the host keeps it.
 *
 * The guest gets the source of this function: it may use nothing but its arguments and globals.
 *
 * @param isThere whether the Node of the host has a method: older ones lack some
 */
export function createSubtle(
  host: GuestNative,
  errors: PartExports['argument-errors'],
  createWriters: typeof createParameterWriters,
  isThere: (method: string) => boolean,
): SubtleClasses {
  const { coded, illegalConstructor } = errors
  const { parse } = JSON
  const { defineProperty } = Object
  const INTERNAL = {}
  const FORMATS = ['raw', 'raw-public', 'raw-secret', 'raw-seed', 'pkcs8', 'spki', 'jwk']
  const USAGES = [
    ...['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'],
    ...['encapsulateBits', 'encapsulateKey', 'decapsulateBits', 'decapsulateKey'].filter(isThere),
  ]
  let idOf!: (key: unknown) => number | undefined
  let factsOf!: (key: object) => KeyFacts

  class CryptoKey {
    readonly #facts: KeyFacts

    static {
      factsOf = (key) => (key as CryptoKey).#facts
      idOf = (key) =>
        typeof key === 'object' && key !== null && #facts in key ? key.#facts.id : undefined
    }
    constructor(token: unknown, facts: KeyFacts) {
      if (token !== INTERNAL) throw illegalConstructor()
      this.#facts = facts
    }
    get type() {
      return this.#facts.type
    }
    get extractable() {
      return this.#facts.extractable
    }
    get algorithm() {
      return this.#facts.algorithm
    }
    get usages() {
      return this.#facts.usages
    }
  }

  const copyKey = (value: object): object | undefined => {
    if (idOf(value) === undefined) return undefined
    const { id, type, extractable, algorithm, usages } = factsOf(value)
    const facts = { id, type, extractable, algorithm: { ...algorithm }, usages: [...usages] }
    return new CryptoKey(INTERNAL, facts)
  }
  const writerFor = createWriters(errors, idOf)
  const keyFrom = (facts: KeyFacts) => {
    const { algorithm } = facts
    const exponent = algorithm.publicExponent as { bytes: number[] } | undefined
    if (exponent !== undefined) algorithm.publicExponent = new Uint8Array(exponent.bytes)
    return new CryptoKey(INTERNAL, facts)
  }
  const idFrom = (key: unknown, what: string): number => {
    const id = idOf(key)
    if (id === undefined) throw coded('ERR_INVALID_ARG_TYPE', `${what} is not a CryptoKey`)
    return id
  }
  const usagesFrom = (given: unknown): string[] => {
    if (typeof given !== 'object' || given === null) {
      throw coded('ERR_INVALID_ARG_TYPE', 'The usages of a key are a list of names')
    }
    return Array.from(given as Iterable<unknown>, (usage) => {
      const name = `${usage}`
      if (USAGES.includes(name)) return name
      throw coded('ERR_INVALID_ARG_VALUE', `'${name}' is not a valid enum value of type KeyUsage.`)
    })
  }
  /** The shared key has 32 bytes, and the ciphertext the rest. */
  const encapsulated = (answer: unknown) => {
    const bytes = answer as ArrayBuffer
    return { sharedKey: bytes.slice(0, 32), ciphertext: bytes.slice(32) }
  }
  const dataFrom = (write: ParameterWriter, format: string, data: unknown) =>
    format === 'jwk' ? write.jwk(data) : write.bytes(data, 'The key data')

  class SubtleCrypto {
    constructor(token: unknown) {
      if (token !== INTERNAL) throw illegalConstructor()
    }

    async digest(algorithm: unknown, data: unknown) {
      return this.#ask('digest', (write) => ({
        algorithm: write.algorithm(algorithm),
        data: write.bytes(data, 'The data'),
      }))
    }
    async encrypt(algorithm: unknown, key: unknown, data: unknown) {
      return this.#askWithKey('encrypt', algorithm, key, data)
    }
    async decrypt(algorithm: unknown, key: unknown, data: unknown) {
      return this.#askWithKey('decrypt', algorithm, key, data)
    }
    async sign(algorithm: unknown, key: unknown, data: unknown) {
      return this.#askWithKey('sign', algorithm, key, data)
    }
    async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown) {
      const answer = await this.#ask('verify', (write) => ({
        algorithm: write.algorithm(algorithm),
        key: idFrom(key, 'The key'),
        signature: write.bytes(signature, 'The signature'),
        data: write.bytes(data, 'The data'),
      }))
      return answer === 'true'
    }
    async deriveBits(algorithm: unknown, baseKey: unknown, length: unknown = null) {
      return this.#ask('deriveBits', (write) => ({
        algorithm: write.algorithm(algorithm),
        baseKey: idFrom(baseKey, 'The base key'),
        length: length === null ? null : +(length as number),
      }))
    }
    async deriveKey(
      algorithm: unknown,
      baseKey: unknown,
      derivedKeyType: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ) {
      return this.#askKey('deriveKey', (write) => ({
        algorithm: write.algorithm(algorithm),
        baseKey: idFrom(baseKey, 'The base key'),
        derivedKeyType: write.algorithm(derivedKeyType),
        extractable: !!extractable,
        keyUsages: usagesFrom(keyUsages),
      }))
    }
    async generateKey(algorithm: unknown, extractable: unknown, keyUsages: unknown) {
      const facts = parse(
        (await this.#ask('generateKey', (write) => ({
          algorithm: write.algorithm(algorithm),
          extractable: !!extractable,
          keyUsages: usagesFrom(keyUsages),
        }))) as string,
      )
      if (facts.id !== undefined) return keyFrom(facts)
      return { publicKey: keyFrom(facts.publicKey), privateKey: keyFrom(facts.privateKey) }
    }
    async importKey(
      format: unknown,
      keyData: unknown,
      algorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ) {
      return this.#askKey('importKey', (write) => ({
        format: `${format}`,
        keyData: dataFrom(write, `${format}`, keyData),
        algorithm: write.algorithm(algorithm),
        extractable: !!extractable,
        keyUsages: usagesFrom(keyUsages),
      }))
    }
    async exportKey(format: unknown, key: unknown) {
      if (!FORMATS.includes(`${format}`)) {
        throw coded('ERR_INVALID_ARG_VALUE', `The format of a key is one of ${FORMATS.join(', ')}`)
      }
      const answer = await this.#ask('exportKey', () => ({
        format: `${format}`,
        key: idFrom(key, 'The key'),
      }))
      return typeof answer === 'string' ? parse(answer) : answer
    }
    async wrapKey(format: unknown, key: unknown, wrappingKey: unknown, wrapAlgorithm: unknown) {
      return this.#ask('wrapKey', (write) => ({
        format: `${format}`,
        key: idFrom(key, 'The key'),
        wrappingKey: idFrom(wrappingKey, 'The wrapping key'),
        wrapAlgorithm: write.algorithm(wrapAlgorithm),
      }))
    }
    async unwrapKey(
      format: unknown,
      wrappedKey: unknown,
      unwrappingKey: unknown,
      unwrapAlgorithm: unknown,
      unwrappedKeyAlgorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ) {
      return this.#askKey('unwrapKey', (write) => ({
        format: `${format}`,
        wrappedKey: write.bytes(wrappedKey, 'The wrapped key'),
        unwrappingKey: idFrom(unwrappingKey, 'The unwrapping key'),
        unwrapAlgorithm: write.algorithm(unwrapAlgorithm),
        unwrappedKeyAlgorithm: write.algorithm(unwrappedKeyAlgorithm),
        extractable: !!extractable,
        keyUsages: usagesFrom(keyUsages),
      }))
    }

    async getPublicKey(key: unknown, keyUsages: unknown) {
      return this.#askKey('getPublicKey', () => ({
        key: idFrom(key, 'The key'),
        keyUsages: usagesFrom(keyUsages),
      }))
    }
    async encapsulateBits(algorithm: unknown, key: unknown) {
      return encapsulated(
        await this.#ask('encapsulateBits', (write) => ({
          algorithm: write.algorithm(algorithm),
          key: idFrom(key, 'The key'),
        })),
      )
    }
    async encapsulateKey(
      algorithm: unknown,
      key: unknown,
      sharedKeyAlgorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ) {
      const { ciphertext, sharedKey } = parse(
        (await this.#ask('encapsulateKey', (write) => ({
          algorithm: write.algorithm(algorithm),
          key: idFrom(key, 'The key'),
          sharedKeyAlgorithm: write.algorithm(sharedKeyAlgorithm),
          extractable: !!extractable,
          keyUsages: usagesFrom(keyUsages),
        }))) as string,
      )
      return { ciphertext: Uint8Array.fromHex(ciphertext).buffer, sharedKey: keyFrom(sharedKey) }
    }
    async decapsulateBits(algorithm: unknown, key: unknown, ciphertext: unknown) {
      return this.#ask('decapsulateBits', (write) => ({
        algorithm: write.algorithm(algorithm),
        key: idFrom(key, 'The key'),
        ciphertext: write.bytes(ciphertext, 'The ciphertext'),
      }))
    }
    async decapsulateKey(
      algorithm: unknown,
      key: unknown,
      ciphertext: unknown,
      sharedKeyAlgorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ) {
      return this.#askKey('decapsulateKey', (write) => ({
        algorithm: write.algorithm(algorithm),
        key: idFrom(key, 'The key'),
        ciphertext: write.bytes(ciphertext, 'The ciphertext'),
        sharedKeyAlgorithm: write.algorithm(sharedKeyAlgorithm),
        extractable: !!extractable,
        keyUsages: usagesFrom(keyUsages),
      }))
    }
    /** Whether an operation is there for an algorithm. */
    static supports(...args: [operation: unknown, algorithm: unknown, more?: unknown]) {
      if (args.length < 2) {
        throw coded('ERR_MISSING_ARGS', missing('supports', 'SubtleCrypto', 2, args.length))
      }
      const write = writerFor()
      const [operation, algorithm, more] = args
      const isLength = more === undefined || more === null || typeof more === 'number'
      const parameters = {
        operation: `${operation}`,
        algorithm: write.algorithm(algorithm),
        more: isLength ? (more ?? null) : write.algorithm(more),
      }
      return host.now('subtle.supports', ...write.args(parameters)) === 'true'
    }

    async #ask(method: string, parameters: (write: ParameterWriter) => Record<string, unknown>) {
      const write = writerFor()
      return host.later(`subtle.${method}`, ...write.args(parameters(write)))
    }
    async #askWithKey(method: string, algorithm: unknown, key: unknown, data: unknown) {
      return this.#ask(method, (write) => ({
        algorithm: write.algorithm(algorithm),
        key: idFrom(key, 'The key'),
        data: write.bytes(data, 'The data'),
      }))
    }
    async #askKey(
      method: string,
      parameters: (write: ParameterWriter) => Record<string, unknown>,
    ): Promise<unknown> {
      return keyFrom(parse((await this.#ask(method, parameters)) as string))
    }
  }
  const missing = (method: string, api: string, wanted: number, given: number) =>
    `Failed to execute '${method}' on '${api}': ${wanted} argument${wanted === 1 ? '' : 's'} required, but only ${given} present.`
  if (!isThere('supports')) delete (SubtleCrypto as { supports?: unknown }).supports
  type Method = (...args: unknown[]) => Promise<unknown>
  const methods = SubtleCrypto.prototype as unknown as Record<string, Method>
  for (const name of Object.getOwnPropertyNames(methods)) {
    const run = methods[name]!
    if (name === 'constructor') continue
    if (!isThere(name)) {
      delete methods[name]
      continue
    }
    const checked = {
      async [name](...args: unknown[]) {
        if (args.length < run.length) {
          throw coded('ERR_MISSING_ARGS', missing(name, 'SubtleCrypto', run.length, args.length))
        }
        return run.apply(this, args)
      },
    }[name]
    defineProperty(checked, 'length', { value: run.length, configurable: true })
    defineProperty(methods, name, { value: checked, writable: true, configurable: true })
  }

  const subtle = new SubtleCrypto(INTERNAL) as unknown as SubtleClasses['subtle']
  return { CryptoKey, SubtleCrypto, subtle, copyKey, missing }
}
