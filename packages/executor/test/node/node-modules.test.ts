import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

// A handler is always in UTC, and has the locale en-US.
process.env.TZ = 'UTC'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000, memoryLimitBytes: 256 * 1024 * 1024 })

// The modules are Node 20's: newer ones word some errors, and show some values, in another way.
const isNode20 = process.versions.node.startsWith('20.')

describe("Node's modules do in the sandbox what they do in Node", () => {
  it
    .runIf(isNode20)
    .each(['buffer', 'text', 'util', 'events', 'stream', 'intl', 'crypto', 'certificates', 'zlib'])(
    '%s',
    async (name) => {
      const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
      const compiled = await runtime.precompileFile(file)
      const { value, error } = await runtime.executeCompiledHandler(compiled, { event: null })
      expect(error).toBeUndefined()
      const program = await import(pathToFileURL(file).href)
      const expected = JSON.parse(JSON.stringify(await program.default()))
      expect(value).toHaveLength(expected.length)
      const differences = expected
        .map((inNode: unknown, i: number) => ({ i, inNode, inSandbox: (value as unknown[])[i] }))
        .filter(
          ({ inNode, inSandbox }: { inNode: unknown; inSandbox: unknown }) =>
            JSON.stringify(inNode) !== JSON.stringify(inSandbox),
        )
      expect(differences).toEqual([])
    },
  )
})

it('brotli is packed and unpacked within the memory that a call has by default', async () => {
  const small = openRuntime({ threads: 0 })
  const { value, error } = await small.executeHandler(
    `import zlib from 'node:zlib'
    const text = 'some text '.repeat(1000)
    export default () => [10, 16, 18, 22].map((lgwin) => {
      const params = { [zlib.constants.BROTLI_PARAM_LGWIN]: lgwin }
      return zlib.brotliDecompressSync(zlib.brotliCompressSync(text, { params })).toString() === text
    })`,
    { event: null },
  )
  expect(error).toBeUndefined()
  expect(value).toEqual([true, true, true, true])
})

/** What Node has and a handler has not, and the text that says so. */
const NOT_HERE = {
  'crypto.generatePrimeSync(64)': 'crypto.generatePrimeSync is not possible in the sandbox',
  'crypto.generatePrime(64, () => {})': 'crypto.generatePrime is not possible in the sandbox',
  "crypto.generateKeyPairSync('dsa', { modulusLength: 1024 })": 'generateKeyPair for dsa is not',
  "crypto.generateKeyPair('dh', { group: 'modp5' }, () => {})": 'generateKeyPair for dh is not',
  'crypto.createDiffieHellman(512)': 'does not search for primes here',
  "crypto.Certificate.exportChallenge('x')": 'crypto.Certificate.exportChallenge is not possible',
  "new crypto.Certificate().verifySpkac('x')": 'crypto.Certificate.verifySpkac is not possible',
  'crypto.KeyObject.from({})': 'KeyObject.from is not possible',
  'crypto.setFips(true)': 'crypto.setFips is not possible',
  "crypto.setEngine('x')": 'crypto.setEngine is not possible',
  "crypto.createPrivateKey({ key: 'x', passphrase: 'y' })": 'encrypted with a passphrase',
}

it('what node:crypto has not here says so when it is called, and not before', async () => {
  const calls = Object.keys(NOT_HERE).map((call) => `() => ${call}`)
  const { value } = await runtime.executeHandler<[string, string][]>(
    `import crypto from 'node:crypto'
    export default () => [${calls}].map((call) => { try { call(); return ['', ''] } catch (e) { return [e.code, e.message] } })`,
    { event: null },
  )
  expect(value).toEqual(
    Object.values(NOT_HERE).map((text) => [
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      expect.stringContaining(text),
    ]),
  )
})

it('every name that node:crypto has in Node 20 is there', async () => {
  const { value } = await runtime.executeHandler<string[]>(
    `import * as crypto from 'node:crypto'; export default () => Object.keys(crypto)`,
    { event: null },
  )
  // Gone in Node 22 or later, and never right.
  const dropped = ['Cipher', 'Decipher']
  const inNode20 = isNode20 ? Object.keys(await import('node:crypto')) : []
  expect(inNode20.filter((name) => !dropped.includes(name) && !value?.includes(name))).toEqual([])
})
