import {
  createSign,
  diffieHellman,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { copyUnits } from '../../native-price.js'
import type { NativeContext, NativeService } from '../../native-service.js'
import { hashUnits } from '../operation-units.js'
import { keyOperationUnits, keyOutputBytes } from './key-services.js'
import { bytesOf, keyOf, type NodeOptions, nameOf, optionsOf } from './node-arguments.js'

/** The key with what else Node takes beside it. */
function keyInput(options: NodeOptions, context: NativeContext) {
  const { padding, saltLength, dsaEncoding } = options
  const key = keyOf(options.key, context)
  return { key, padding, saltLength, dsaEncoding } as { key: typeof key; padding?: number }
}

function digestOf(options: NodeOptions): string | null {
  return options.algorithm === null ? null : nameOf(options.algorithm)
}

/** `({ algorithm, key, padding?, saltLength?, dsaEncoding? }, data)`: a signature. */
const signService: NativeService = ([json, data], context) => {
  const options = optionsOf(json)
  const input = keyInput(options, context)
  const [digest, bytes] = [digestOf(options), bytesOf(data)]
  return {
    what: `crypto.sign (${input.key.asymmetricKeyType ?? 'secret'})`,
    units: hashUnits(digest ?? 'sha512', bytes.length) + keyOperationUnits(input.key, 'private'),
    outputBytes: keyOutputBytes(input.key),
    run: () => sign(digest, bytes, input),
  }
}

/** `({ algorithm })`: whether Node signs with that hash; throws where not. */
const signDigest: NativeService = ([json]) => {
  const algorithm = nameOf(optionsOf(json).algorithm)
  return {
    what: 'crypto.createSign',
    units: 20,
    outputBytes: 0,
    run: () => {
      createSign(algorithm)
      return ''
    },
  }
}

/** The same with a signature: `true` or `false`. */
const verifyService: NativeService = ([json, data, signature], context) => {
  const options = optionsOf(json)
  const input = keyInput(options, context)
  const [digest, bytes, signed] = [digestOf(options), bytesOf(data), bytesOf(signature)]
  return {
    what: `crypto.verify (${input.key.asymmetricKeyType ?? 'secret'})`,
    units: hashUnits(digest ?? 'sha512', bytes.length) + keyOperationUnits(input.key, 'public'),
    outputBytes: 8,
    run: () => String(verify(digest, bytes, input, signed)),
  }
}

const RSA_OPERATIONS = {
  publicEncrypt: { run: publicEncrypt, side: 'public' },
  publicDecrypt: { run: publicDecrypt, side: 'public' },
  privateEncrypt: { run: privateEncrypt, side: 'private' },
  privateDecrypt: { run: privateDecrypt, side: 'private' },
} as const

/** `({ operation, key, padding?, oaepHash? }, data, label?)` */
const rsa: NativeService = ([json, data, label], context) => {
  const options = optionsOf(json)
  const operation = nameOf(options.operation) as keyof typeof RSA_OPERATIONS
  if (!Object.hasOwn(RSA_OPERATIONS, operation)) throw new TypeError('There is no such operation')
  const { run, side } = RSA_OPERATIONS[operation]
  const key = keyOf(options.key, context)
  const bytes = bytesOf(data)
  const { padding, oaepHash } = options as { padding?: number; oaepHash?: string }
  const oaepLabel = label === undefined ? undefined : Buffer.from(bytesOf(label))
  return {
    what: `crypto.${operation}`,
    units: copyUnits(bytes.length) + keyOperationUnits(key, side),
    outputBytes: keyOutputBytes(key),
    run: () => run({ key, padding, oaepHash, oaepLabel } as never, Buffer.from(bytes)),
  }
}

/** Groups of other kinds have no price. */
const CURVES = ['ec', 'x25519', 'x448']

/** `({ privateKey, publicKey })`: a shared secret. */
const agree: NativeService = ([json], context) => {
  const options = optionsOf(json)
  const privateKey = keyOf(options.privateKey, context)
  const publicKey = keyOf(options.publicKey, context)
  if (!CURVES.includes(privateKey.asymmetricKeyType ?? '')) {
    throw new TypeError(`crypto.diffieHellman takes keys of ${CURVES.join(', ')} here`)
  }
  return {
    what: 'crypto.diffieHellman',
    units: keyOperationUnits(privateKey, 'private'),
    outputBytes: keyOutputBytes(privateKey),
    run: () => diffieHellman({ privateKey, publicKey }),
  }
}

export const SIGN_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.sign', signService],
  ['node.signDigest', signDigest],
  ['node.verify', verifyService],
  ['node.rsa', rsa],
  ['node.diffieHellman', agree],
]
