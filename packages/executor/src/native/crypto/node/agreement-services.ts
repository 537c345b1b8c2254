import {
  createDiffieHellman,
  createECDH,
  type DiffieHellman,
  ECDH,
  getDiffieHellman,
} from 'node:crypto'
import type { NativeArgument, NativeService } from '../../native-service.js'
import { curveUnits, powerUnits } from '../operation-units.js'
import { bytesOf, countOf, type NodeOptions, nameOf, optionsOf } from './node-arguments.js'

/** Two keys or parameters of the largest group, written as base64. */
const PAIR_BYTES = 32 * 1024
/** A group of more bits is used by none. */
const MAX_PRIME_BYTES = 2048
/** What a check of an unknown prime raises to a power, and its half: 64 rounds each, and then some. */
const CHECK_POWERS = 150

const written = (...parts: Uint8Array[]) =>
  JSON.stringify(parts.map((part) => Buffer.from(part).toString('base64')))

/** A service of a curve, which costs `operations` on it. */
function onCurve(
  what: string,
  operations: number,
  run: (curve: string, options: NodeOptions, bytes: NativeArgument[]) => string | Uint8Array,
): NativeService {
  return ([json, ...bytes]) => {
    const options = optionsOf(json)
    const curve = nameOf(options.curve)
    return {
      what: `crypto.${what} (${curve})`,
      units: 400 + operations * curveUnits(curve),
      outputBytes: PAIR_BYTES,
      run: () => run(curve, options, bytes),
    }
  }
}

const ecdhCurve = onCurve('createECDH', 0, (curve) => {
  createECDH(curve)
  return ''
})

/** `({ curve }, privateKey?)`: both keys, of a new pair where none is given. */
const ecdhKeys = onCurve('ECDH.generateKeys', 2, (curve, _, [given]) => {
  const pair = createECDH(curve)
  if (given === undefined) pair.generateKeys()
  else pair.setPrivateKey(Buffer.from(bytesOf(given)))
  return written(pair.getPrivateKey(), pair.getPublicKey())
})

/** `({ curve, format }, publicKey)`: the same key in that format. */
const ecdhConvert = onCurve('ECDH.convertKey', 1, (curve, { format }, [key]) => {
  const name = nameOf(format) as 'uncompressed'
  return ECDH.convertKey(Buffer.from(bytesOf(key)), curve, undefined, undefined, name) as Buffer
})

/** `({ curve }, privateKey, publicKey)`: the secret that the two share. */
const ecdhSecret = onCurve('ECDH.computeSecret', 2, (curve, _, [own, other]) => {
  const pair = createECDH(curve)
  pair.setPrivateKey(Buffer.from(bytesOf(own)))
  return pair.computeSecret(Buffer.from(bytesOf(other)))
})

const GROUP_BITS: Readonly<Record<string, number>> = {
  modp1: 768,
  modp2: 1024,
  modp5: 1536,
  modp14: 2048,
  modp15: 3072,
  modp16: 4096,
  modp17: 6144,
  modp18: 8192,
}

type Group = { open(): DiffieHellman; bits: number; isKnown: boolean }

function groupOf(
  { group, generator }: NodeOptions,
  prime: NativeArgument,
  base: NativeArgument,
): Group {
  if (group !== undefined) {
    const name = nameOf(group)
    // A name that is none fails when it is opened.
    const open = () => {
      const known = getDiffieHellman(name)
      // Node lets no one set the keys of a group that has a name.
      return createDiffieHellman(known.getPrime(), known.getGenerator())
    }
    return { open, bits: GROUP_BITS[name] ?? 0, isKnown: true }
  }
  const bytes = Buffer.from(bytesOf(prime))
  if (bytes.length > MAX_PRIME_BYTES) throw new RangeError('The prime is too long')
  const by = base === undefined ? countOf(generator) : Buffer.from(bytesOf(base))
  const open = () => createDiffieHellman(bytes, by as never)
  return { open, bits: bytes.length * 8, isKnown: false }
}

/** A service of a group, which raises to a power `powers` times. */
function inGroup(
  what: string,
  powers: number,
  run: (group: DiffieHellman, keys: Buffer[]) => string | Uint8Array,
): NativeService {
  return ([json, prime, base, ...keys]) => {
    const group = groupOf(optionsOf(json), prime, base)
    return {
      what: `crypto.DiffieHellman.${what}`,
      units: 100 + powerUnits(group.bits) * (powers + (group.isKnown ? 0 : CHECK_POWERS)),
      outputBytes: PAIR_BYTES,
      run: () =>
        run(
          group.open(),
          keys.map((key) => Buffer.from(bytesOf(key))),
        ),
    }
  }
}

const dhCheck = inGroup('verifyError', 0, ({ verifyError }) => String(verifyError))

const dhParameters = inGroup('getPrime', 0, (group) =>
  written(group.getPrime(), group.getGenerator()),
)

/** `(group, prime?, generator?, privateKey?)`: both keys, of a new pair where none is given. */
const dhKeys = inGroup('generateKeys', 2, (group, [given]) => {
  if (given !== undefined) group.setPrivateKey(given)
  group.generateKeys()
  return written(group.getPrivateKey(), group.getPublicKey())
})

/** `(group, prime, generator, privateKey, publicKey)`: the secret that the two share. */
const dhSecret = inGroup('computeSecret', 2, (group, [own, other]) => {
  group.setPrivateKey(own!)
  return group.computeSecret(other!)
})

export const AGREEMENT_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.ecdhCurve', ecdhCurve],
  ['node.ecdhKeys', ecdhKeys],
  ['node.ecdhConvert', ecdhConvert],
  ['node.ecdhSecret', ecdhSecret],
  ['node.dhCheck', dhCheck],
  ['node.dhParameters', dhParameters],
  ['node.dhKeys', dhKeys],
  ['node.dhSecret', dhSecret],
]
