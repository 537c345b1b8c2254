import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import matrix, { type MatrixKeys } from './web-crypto-matrix.js'

const runtime = openRuntime({
  threads: 1,
  timeoutMs: 60_000,
  maxHostCalls: 1_000_000,
  maxResultBytes: 32 * 1024 * 1024,
  memoryLimitBytes: 256 * 1024 * 1024,
})

interface Pair {
  publicKey: { export(options: { format: 'jwk' }): object }
  privateKey: { export(options: { format: 'jwk' }): object }
}
const jwks = ({ publicKey, privateKey }: Pair) => ({
  public: publicKey.export({ format: 'jwk' }),
  private: privateKey.export({ format: 'jwk' }),
})
const KEYS: MatrixKeys = {
  rsa: jwks(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  other: jwks(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  ...Object.fromEntries(
    ['P-256', 'P-384', 'P-521'].map((namedCurve) => [
      namedCurve,
      jwks(generateKeyPairSync('ec', { namedCurve })),
    ]),
  ),
  Ed25519: jwks(generateKeyPairSync('ed25519')),
  Ed448: jwks(generateKeyPairSync('ed448')),
  X25519: jwks(generateKeyPairSync('x25519')),
  X448: jwks(generateKeyPairSync('x448')),
}

it('crypto.subtle does in the sandbox what it does in Node, for every usage and format', async () => {
  const file = fileURLToPath(new URL('web-crypto-matrix.ts', import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const run = runtime.executeCompiledHandler<Record<string, unknown>>(compiled, { event: KEYS })
  const { value, error } = await run
  expect(error).toBeUndefined()
  const inNode = JSON.parse(JSON.stringify(await matrix(KEYS)))
  expect(Object.keys(value!)).toEqual(Object.keys(inNode))
  const differences = Object.entries(inNode).filter(
    ([label, expected]) => JSON.stringify(value![label]) !== JSON.stringify(expected),
  )
  expect(differences.map(([label, node]) => ({ label, node, sandbox: value![label] }))).toEqual([])
}, 120_000)
