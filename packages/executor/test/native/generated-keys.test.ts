import type { KeyObject, webcrypto as WebCrypto } from 'node:crypto'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { NativeContext } from '../../src/native/native-service.js'

const generated = vi.hoisted(() => [] as unknown[])

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  const generateKeyPairSync = (type: 'ec', options: { namedCurve: string }) => {
    const pair = crypto.generateKeyPairSync(type, options)
    generated.push(pair.publicKey, pair.privateKey)
    return pair
  }
  const generateKeyPair = Object.assign(() => {}, {
    [Symbol.for('nodejs.util.promisify.custom')]: async (
      type: 'ec',
      options: { namedCurve: string },
    ) => generateKeyPairSync(type, options),
  })
  return { ...crypto, generateKeyPairSync, generateKeyPair }
})

const { webcrypto } = await import('node:crypto')
const { KEY_SERVICES } = await import('../../src/native/crypto/node/key-services.js')
const { SUBTLE_SERVICES } = await import('../../src/native/crypto/subtle/subtle-services.js')
const services = new Map([...KEY_SERVICES, ...SUBTLE_SERVICES])

/** Keeps what a guest would get. */
function keeper(): { kept: unknown[]; context: NativeContext } {
  const kept: unknown[] = []
  const add = (key: object) => kept.push(key)
  return { kept, context: { objects: { add }, memoryLimitBytes: 1e9 } as never }
}

const NODE = [
  ['rsa', { modulusLength: 1024 }],
  ['rsa-pss', { modulusLength: 1024, hashAlgorithm: 'sha256', saltLength: 20 }],
  ['ec', { namedCurve: 'P-256' }],
  ...['ed25519', 'ed448', 'x25519', 'x448'].map((type) => [type, {}] as const),
] as const

// Node 20 may stop for ever when a key that it has just generated tells its details.
it.each(NODE)(
  'a handler gets no %s key of node:crypto as it was generated',
  async (type, options) => {
    const { kept, context } = keeper()
    const work = services.get('node.generateKeyPair')!([JSON.stringify({ type, options })], context)
    work.run!()
    await work.runLater!()
    expect(kept).toHaveLength(4)
    for (const key of kept as KeyObject[]) {
      expect(key.asymmetricKeyType).toBe(type)
      expect(generated).not.toContain(key)
    }
  },
)

const SUBTLE = [
  [{ name: 'RSA-OAEP', modulusLength: 1024, hash: 'SHA-256' }, ['encrypt', 'decrypt']],
  [{ name: 'ECDSA', namedCurve: 'P-256' }, ['sign', 'verify']],
  [{ name: 'Ed25519' }, ['sign', 'verify']],
  [{ name: 'X25519' }, ['deriveBits']],
] as const

it.each(SUBTLE)(
  'a handler gets no key of WebCrypto as it was generated: %j',
  async (algorithm, keyUsages) => {
    const generate = vi.spyOn(webcrypto.subtle, 'generateKey')
    onTestFinished(() => generate.mockRestore())
    for (const extractable of [true, false]) {
      const { kept, context } = keeper()
      const json = { algorithm, extractable, keyUsages }
      const bytes = new Uint8Array([1, 0, 1])
      const given = algorithm.name.startsWith('RSA')
        ? { ...json, algorithm: { ...algorithm, publicExponent: { at: 0 } } }
        : json
      const work = services.get('subtle.generateKey')!([JSON.stringify(given), bytes], context)
      await work.runLater!()
      const { publicKey, privateKey } = (await generate.mock.results.at(-1)!
        .value) as WebCrypto.CryptoKeyPair
      const [ofGuest, secret] = kept as WebCrypto.CryptoKey[]
      expect([publicKey, privateKey]).not.toContain(secret)
      expect([publicKey, privateKey]).not.toContain(ofGuest)
      expect(ofGuest).toMatchObject({ type: 'public', extractable: true, usages: publicKey.usages })
      expect(secret).toMatchObject({ type: 'private', extractable, usages: privateKey.usages })
      expect(secret!.algorithm).toEqual(privateKey.algorithm)
    }
  },
)
