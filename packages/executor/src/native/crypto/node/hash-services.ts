import { createHash, createHmac, getCiphers, getCurves, getHashes } from 'node:crypto'
import { copyUnits } from '../../native-price.js'
import type { NativeService } from '../../native-service.js'
import { hashUnits } from '../operation-units.js'
import { bytesOf, countOf, keyOf, nameOf, optionsOf } from './node-arguments.js'

/** No hash of a fixed length gives more. */
const HASH_BYTES = 64

/** `({ algorithm, outputLength? }, data)`: the hash. */
const hash: NativeService = ([json, data]) => {
  const options = optionsOf(json)
  const algorithm = nameOf(options.algorithm)
  const bytes = bytesOf(data)
  const outputLength =
    options.outputLength === undefined ? undefined : countOf(options.outputLength)
  const outputBytes = Math.max(outputLength ?? 0, HASH_BYTES)
  return {
    what: `crypto.createHash (${algorithm})`,
    units: copyUnits(bytes.length) + hashUnits(algorithm, bytes.length + outputBytes),
    outputBytes,
    run: () =>
      createHash(algorithm, outputLength === undefined ? {} : { outputLength })
        .update(bytes)
        .digest(),
  }
}

/** `({ algorithm, key }, data)`: the HMAC. */
const hmac: NativeService = ([json, data], context) => {
  const options = optionsOf(json)
  const algorithm = nameOf(options.algorithm)
  const key = keyOf(options.key, context)
  const bytes = bytesOf(data)
  return {
    what: `crypto.createHmac (${algorithm})`,
    units:
      copyUnits(bytes.length) + hashUnits(algorithm, bytes.length + (key.symmetricKeySize ?? 0)),
    outputBytes: HASH_BYTES,
    run: () => createHmac(algorithm, key).update(bytes).digest(),
  }
}

const LISTS: Readonly<Record<string, () => string[]>> = {
  hashes: getHashes,
  ciphers: getCiphers,
  curves: getCurves,
}

/** `(name)`: the names of all hashes, ciphers or curves, as JSON. */
const list: NativeService = ([name]) => {
  const names = LISTS[nameOf(name)]
  if (!names) throw new TypeError('There is no such list')
  return { what: 'crypto', units: 200, outputBytes: 64 * 1024, run: () => JSON.stringify(names()) }
}

export const HASH_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.hash', hash],
  ['node.hmac', hmac],
  ['node.list', list],
]
