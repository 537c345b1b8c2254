import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { copyUnits } from '../../native-price.js'
import type { NativeContext, NativeService } from '../../native-service.js'
import { AS_BYTES, type PairBytes, readPair } from '../generated-keys.js'
import {
  curveUnits,
  readKeyUnits,
  rsaGenerateUnits,
  rsaPrivateUnits,
  rsaPublicUnits,
} from '../operation-units.js'
import { bytesOf, countOf, keyOf, type NodeOptions, nameOf, optionsOf } from './node-arguments.js'

/** Facts of two keys as JSON. */
export const FACTS_BYTES = 8192

/** What one operation with an asymmetric key costs. */
export function keyOperationUnits(key: KeyObject, side: 'private' | 'public'): number {
  const details = key.asymmetricKeyDetails ?? {}
  const { modulusLength = 0, publicExponent = 0n } = details
  const isRsa = key.asymmetricKeyType?.startsWith('rsa')
  if (modulusLength > 0) {
    return isRsa && side === 'public'
      ? rsaPublicUnits(modulusLength, publicExponent)
      : rsaPrivateUnits(modulusLength)
  }
  return curveUnits(details.namedCurve ?? key.asymmetricKeyType ?? '')
}

/** How many bytes an operation with a key, or the key in any format, can give. */
export function keyOutputBytes(key: KeyObject): number {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return 8192 + bits + (key.symmetricKeySize ?? 0) * 2
}

/** Keeps a key for the guest; gives what the guest may know of it. */
export function keepKey(key: KeyObject, { objects, memoryLimitBytes }: NativeContext): object {
  const details = key.asymmetricKeyDetails
  return {
    id: objects.add(key, keyOutputBytes(key), memoryLimitBytes),
    type: key.type,
    asymmetricKeyType: key.asymmetricKeyType,
    symmetricKeySize: key.symmetricKeySize,
    asymmetricKeyDetails: details && {
      ...details,
      publicExponent: details.publicExponent?.toString(),
    },
  }
}

/** `({ kind, format, type? }, bytes)`, or `({ kind, format: 'jwk', jwk })`: reads a key. */
const createKey: NativeService = ([json, data], context) => {
  const options = optionsOf(json)
  const kind = nameOf(options.kind)
  const bytes = options.format === 'jwk' ? new Uint8Array() : bytesOf(data)
  const length = Math.max(bytes.length, (json as string).length)
  const read = (): KeyObject => {
    if (kind === 'secret') return createSecretKey(bytes)
    const create = kind === 'private' ? createPrivateKey : createPublicKey
    if (options.format === 'jwk') return create({ key: options.jwk, format: 'jwk' } as never)
    // Without a passphrase: the author of an encrypted key chooses how long it takes to open.
    const { format, type } = options
    return create({ key: Buffer.from(bytes), format, type } as never)
  }
  return {
    what: `crypto.create${kind[0]?.toUpperCase()}${kind.slice(1)}Key`,
    units: copyUnits(length) + (kind === 'secret' ? 0 : readKeyUnits(length) + curveUnits('p-521')),
    outputBytes: FACTS_BYTES,
    workBytes: length,
    run: () => JSON.stringify(keepKey(read(), context)),
  }
}

/** `({ key })`: the public key of a private one. */
const publicKeyOf: NativeService = ([json], context) => {
  const key = keyOf(optionsOf(json).key, context)
  return {
    what: 'crypto.createPublicKey',
    units: readKeyUnits(0) + curveUnits('p-521'),
    outputBytes: FACTS_BYTES,
    run: () => JSON.stringify(keepKey(createPublicKey(key as never), context)),
  }
}

/** `({ key, format, type? })`: a key as bytes, as PEM or as JSON of a JWK. */
const exportKey: NativeService = ([json], context) => {
  const { key: id, format, type } = optionsOf(json)
  const key = keyOf(id, context)
  return {
    what: 'crypto.KeyObject.export',
    units: readKeyUnits(keyOutputBytes(key)) + curveUnits('p-521'),
    outputBytes: keyOutputBytes(key),
    run: () => {
      const exported: unknown = key.export({ format, type } as never)
      if (typeof exported === 'string' || exported instanceof Uint8Array) return exported
      return JSON.stringify(exported)
    },
  }
}

const generatePair = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<PairBytes>

/** What may be made: the others search for primes at a price that is not known. */
const GENERATED = ['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', 'x25519', 'x448']

function generateUnits(type: string, options: NodeOptions): number {
  if (!type.startsWith('rsa')) return curveUnits(String(options.namedCurve ?? type))
  const exponent = options.publicExponent ?? 65_537
  return rsaGenerateUnits(countOf(options.modulusLength), BigInt(countOf(exponent)))
}

const PARAMETERS = [
  ...['modulusLength', 'publicExponent', 'namedCurve', 'paramEncoding'],
  ...['hashAlgorithm', 'mgf1HashAlgorithm', 'saltLength'],
]

/** The parameters of a key; how the keys would be written is not Node's to know. */
function parametersOf(given: unknown): NodeOptions {
  const entries = Object.entries(given ?? {})
  return Object.fromEntries(entries.filter(([name]) => PARAMETERS.includes(name)))
}

/** `({ type, options })`: makes a pair of keys. */
const generateKeyPairService: NativeService = ([json], context) => {
  const given = optionsOf(json)
  const type = nameOf(given.type)
  const options = parametersOf(given.options)
  if (!GENERATED.includes(type)) {
    throw new TypeError(`crypto.generateKeyPair makes ${GENERATED.join(', ')} here, not ${type}`)
  }
  const facts = (bytes: PairBytes) => {
    const { publicKey, privateKey } = readPair(bytes)
    return JSON.stringify({
      publicKey: keepKey(publicKey, context),
      privateKey: keepKey(privateKey, context),
    })
  }
  const asked = { ...options, ...AS_BYTES }
  return {
    what: `crypto.generateKeyPair (${type})`,
    units: generateUnits(type, options),
    outputBytes: FACTS_BYTES,
    run: () => facts(generateKeyPairSync(type as 'rsa', asked as never) as unknown as PairBytes),
    runLater: async () => facts(await generatePair(type, asked)),
  }
}

export const KEY_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.createKey', createKey],
  ['node.publicKeyOf', publicKeyOf],
  ['node.exportKey', exportKey],
  ['node.generateKeyPair', generateKeyPairService],
]
