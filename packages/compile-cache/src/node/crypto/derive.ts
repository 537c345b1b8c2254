import { assertFunction, assertInteger, assertString, nodeError } from '../node-error.js'
import { ask, askLater, type Bytes, bytesOf, output, settle } from './host.js'
import { KeyObject } from './keys.js'

type Done<Value> = (error: unknown, value?: Value) => void
const MAX_INT = 2 ** 31 - 1

interface Question {
  service: string
  options: object
  bytes: Uint8Array[]
}

function answerNow({ service, options, bytes }: Question): Bytes {
  return output(ask(service, options, ...bytes)) as Bytes
}

async function answerLater({ service, options, bytes }: Question): Promise<Bytes> {
  return output(await askLater(service, options, ...bytes)) as Bytes
}

function pbkdf2Question(
  password: unknown,
  salt: unknown,
  iterations: number,
  length: number,
  digest: string,
): Question {
  assertString(digest, 'digest')
  const secret = bytesOf(password, 'password')
  const seasoning = bytesOf(salt, 'salt')
  assertInteger(iterations, 'iterations', 1, MAX_INT)
  assertInteger(length, 'keylen', 0, MAX_INT)
  return { service: 'pbkdf2', options: { iterations, length, digest }, bytes: [secret, seasoning] }
}

export function pbkdf2Sync(...args: Parameters<typeof pbkdf2Question>): Bytes {
  return answerNow(pbkdf2Question(...args))
}

export function pbkdf2(...args: [...Parameters<typeof pbkdf2Question>, Done<Bytes>]): void {
  const callback = args.pop() as Done<Bytes>
  assertFunction(callback, 'callback')
  const question = pbkdf2Question(...(args as unknown as Parameters<typeof pbkdf2Question>))
  settle(answerLater(question), callback)
}

interface ScryptOptions {
  N?: number
  cost?: number
  r?: number
  blockSize?: number
  p?: number
  parallelization?: number
  maxmem?: number
}

function oneOf(
  options: ScryptOptions,
  short: keyof ScryptOptions,
  long: keyof ScryptOptions,
): unknown {
  if (options[short] !== undefined && options[long] !== undefined) {
    throw nodeError(
      TypeError,
      'ERR_INCOMPATIBLE_OPTION_PAIR',
      `Option "${short}" cannot be used in combination with option "${long}"`,
    )
  }
  return options[short] ?? options[long]
}

function scryptQuestion(
  password: unknown,
  salt: unknown,
  length: number,
  given: ScryptOptions = {},
): Question {
  const secret = bytesOf(password, 'password')
  const seasoning = bytesOf(salt, 'salt')
  assertInteger(length, 'keylen', 0, MAX_INT)
  const options = given ?? {}
  const N = oneOf(options, 'N', 'cost') ?? 16_384
  const r = oneOf(options, 'r', 'blockSize') ?? 8
  const p = oneOf(options, 'p', 'parallelization') ?? 1
  const maxmem = options.maxmem ?? 32 * 1024 * 1024
  assertInteger(N, 'N', 0, 2 ** 32 - 1)
  assertInteger(r, 'r', 0, 2 ** 32 - 1)
  assertInteger(p, 'p', 0, 2 ** 32 - 1)
  assertInteger(maxmem, 'maxmem', 0)
  return { service: 'scrypt', options: { length, N, r, p, maxmem }, bytes: [secret, seasoning] }
}

export function scryptSync(...args: Parameters<typeof scryptQuestion>): Bytes {
  return answerNow(scryptQuestion(...args))
}

export function scrypt(password: unknown, salt: unknown, length: number, ...rest: unknown[]): void {
  const callback = rest.pop() as Done<Bytes>
  assertFunction(callback, 'callback')
  settle(answerLater(scryptQuestion(password, salt, length, rest[0] as ScryptOptions)), callback)
}

function hkdfQuestion(
  digest: string,
  key: unknown,
  salt: unknown,
  info: unknown,
  length: number,
): Question {
  assertString(digest, 'digest')
  const secret = key instanceof KeyObject ? (key.export() as Uint8Array) : bytesOf(key, 'ikm')
  const bytes = [secret, bytesOf(salt, 'salt'), bytesOf(info, 'info')]
  assertInteger(length, 'length', 0, MAX_INT)
  return { service: 'hkdf', options: { digest, length }, bytes }
}

function bufferOf(bytes: Uint8Array): ArrayBufferLike {
  return bytes.slice().buffer
}

export function hkdfSync(...args: Parameters<typeof hkdfQuestion>): ArrayBufferLike {
  return bufferOf(answerNow(hkdfQuestion(...args)))
}

export function hkdf(...args: [...Parameters<typeof hkdfQuestion>, Done<ArrayBufferLike>]): void {
  const callback = args.pop() as Done<ArrayBufferLike>
  assertFunction(callback, 'callback')
  const question = hkdfQuestion(...(args as unknown as Parameters<typeof hkdfQuestion>))
  settle(answerLater(question).then(bufferOf), callback)
}
