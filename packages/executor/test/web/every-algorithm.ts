const bytes = (length: number) => new Uint8Array(length).map((_, i) => i * 7 + 1)
const hex = (data: ArrayBuffer) =>
  [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

type Subtle = Record<string, (...args: unknown[]) => Promise<never>>
type Pair = { publicKey: CryptoKey; privateKey: CryptoKey }
interface Key {
  type: string
  algorithm: object
  usages: string[]
}

const facts = ({ type, algorithm, usages }: Key) => ({
  type,
  algorithm: JSON.stringify(algorithm),
  usages,
})
const rsa = { hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }
const outputLength = 264

/** Every algorithm that any version of Node has, by what it does. What a version lacks fails in the same way on both sides. */
const DIGESTS = [
  ...['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512', 'MD5'],
  ...['cSHAKE128', 'cSHAKE256', 'TurboSHAKE128', 'TurboSHAKE256', 'KT128', 'KT256'].flatMap(
    (name) => [
      name,
      { name, outputLength },
      { name, outputLength, customization: bytes(3) },
      { name, outputLength, functionName: bytes(3), domainSeparation: 7 },
    ],
  ),
]
const CIPHERS = [
  { name: 'AES-CBC', iv: bytes(16) },
  { name: 'AES-CTR', counter: bytes(16), length: 64 },
  { name: 'AES-GCM', iv: bytes(12), additionalData: bytes(5), tagLength: 104 },
  { name: 'AES-OCB', iv: bytes(12), additionalData: bytes(5), tagLength: 96 },
  { name: 'ChaCha20-Poly1305', iv: bytes(12), additionalData: bytes(5) },
]
const MACS = [
  { name: 'HMAC', hash: 'SHA-256' },
  { name: 'HMAC', hash: 'SHA3-256' },
  { name: 'KMAC128', outputLength },
  { name: 'KMAC256', outputLength, customization: bytes(3) },
]
const SIGNATURES = [
  { name: 'RSASSA-PKCS1-v1_5', ...rsa },
  { name: 'RSA-PSS', ...rsa, saltLength: 20 },
  { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-384' },
  { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA3-384' },
  ...['Ed25519', 'Ed448'].map((name) => ({ name })),
  ...['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'].map((name) => ({ name, context: bytes(4) })),
  { name: 'SLH-DSA-SHA2-128s' },
]
const DERIVATIONS = [
  { name: 'HKDF', hash: 'SHA-512', salt: bytes(4), info: bytes(3) },
  { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(4), iterations: 100 },
  ...['Argon2d', 'Argon2i', 'Argon2id'].map((name) => ({
    name,
    nonce: bytes(16),
    parallelism: 2,
    memory: 64,
    passes: 2,
    secretValue: bytes(4),
    associatedData: bytes(3),
  })),
]
const AGREEMENTS = [{ name: 'ECDH', namedCurve: 'P-384' }, { name: 'X25519' }, { name: 'X448' }]
const KEMS = ['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024']
const FORMATS = ['raw', 'raw-public', 'raw-secret', 'raw-seed', 'spki', 'pkcs8', 'jwk']

/** How an attempt ended. */
async function tried(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    return await attempt()
  } catch (error) {
    const { name } = error as Error
    // Node 20 gives one error a name that WebCrypto does not have.
    return `throws ${name === 'InvalidAccessException' ? 'InvalidAccessError' : name}`
  }
}

async function exported(subtle: Subtle, key: unknown): Promise<unknown[]> {
  const shown = (data: ArrayBuffer) =>
    data instanceof ArrayBuffer ? data.byteLength : Object.keys(data).sort()
  return Promise.all(
    FORMATS.map((format) => tried(async () => shown(await subtle.exportKey!(format, key)))),
  )
}

/** What each algorithm gives, where it is not random, and how it goes there and back where it is. */
export default async function everyAlgorithm(): Promise<Record<string, unknown>> {
  const subtle = crypto.subtle as unknown as Subtle
  const found: Record<string, unknown> = {}
  const note = async (label: string, attempt: () => Promise<unknown>) => {
    found[label] = await tried(attempt)
  }
  for (const algorithm of DIGESTS) {
    await note(`digest ${JSON.stringify(algorithm)}`, async () =>
      hex(await subtle.digest!(algorithm, bytes(100))),
    )
  }
  for (const algorithm of CIPHERS) {
    for (const format of ['raw', 'raw-secret']) {
      await note(`encrypt ${algorithm.name} ${format}`, async () => {
        const usages = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']
        const key = await subtle.importKey!(format, bytes(32), algorithm, true, usages)
        const sealed = await subtle.encrypt!(algorithm, key, bytes(40))
        const opened = await subtle.decrypt!(algorithm, key, sealed)
        const wrapped = await subtle.wrapKey!('jwk', key, key, algorithm)
        const inner = await subtle.unwrapKey!(
          'jwk',
          wrapped,
          key,
          algorithm,
          algorithm,
          true,
          usages,
        )
        return [facts(key), hex(sealed), hex(opened), facts(inner), await exported(subtle, inner)]
      })
    }
    await note(`generateKey ${algorithm.name}`, async () =>
      facts(await subtle.generateKey!({ name: algorithm.name, length: 256 }, true, ['encrypt'])),
    )
  }
  for (const algorithm of MACS) {
    for (const format of ['raw', 'raw-secret']) {
      await note(`sign ${JSON.stringify(algorithm)} ${format}`, async () => {
        const key = await subtle.importKey!(format, bytes(40), algorithm, true, ['sign', 'verify'])
        const tag = await subtle.sign!(algorithm, key, bytes(50))
        const isRight = await subtle.verify!(algorithm, key, tag, bytes(50))
        return [facts(key), hex(tag), isRight, await exported(subtle, key)]
      })
    }
    await note(`generateKey ${JSON.stringify(algorithm)}`, async () =>
      facts(await subtle.generateKey!(algorithm, true, ['sign'])),
    )
  }
  for (const algorithm of SIGNATURES) {
    await note(`sign ${JSON.stringify(algorithm)}`, async () => {
      const pair = (await subtle.generateKey!(algorithm, true, ['sign', 'verify'])) as Pair
      const signature = await subtle.sign!(algorithm, pair.privateKey, bytes(50))
      const verify = (data: Uint8Array) =>
        subtle.verify!(algorithm, pair.publicKey, signature, data)
      const forms = [
        await exported(subtle, pair.publicKey),
        await exported(subtle, pair.privateKey),
      ]
      // The length of DER differs by a byte where a number begins with a set bit.
      const shape = algorithm.name.startsWith('RSA') ? [] : forms
      return [facts(pair.privateKey), shape, await verify(bytes(50)), await verify(bytes(51))]
    })
  }
  for (const algorithm of DERIVATIONS) {
    for (const format of ['raw', 'raw-secret']) {
      await note(`derive ${algorithm.name} ${format}`, async () => {
        const usages = ['deriveBits', 'deriveKey']
        const base = await subtle.importKey!(format, bytes(12), algorithm.name, false, usages)
        const type = { name: 'AES-GCM', length: 128 }
        const key = await subtle.deriveKey!(algorithm, base, type, true, ['encrypt'])
        return [hex(await subtle.deriveBits!(algorithm, base, 256)), facts(base), facts(key)]
      })
    }
  }
  for (const algorithm of AGREEMENTS) {
    await note(`derive ${algorithm.name}`, async () => {
      const pairs = await Promise.all(
        [1, 2].map(() => subtle.generateKey!(algorithm, true, ['deriveBits']) as Promise<Pair>),
      )
      const [one, two] = await Promise.all(
        pairs.map(({ privateKey }, i) =>
          subtle.deriveBits!({ ...algorithm, public: pairs[1 - i]!.publicKey }, privateKey, null),
        ),
      )
      return [hex(one!) === hex(two!), facts(pairs[0]!.privateKey), facts(pairs[0]!.publicKey)]
    })
  }
  for (const name of KEMS) {
    await note(`encapsulate ${name}`, async () => {
      const usages = ['encapsulateBits', 'decapsulateBits', 'encapsulateKey', 'decapsulateKey']
      const pair = (await subtle.generateKey!({ name }, true, usages)) as Pair
      const bits = (await subtle.encapsulateBits!({ name }, pair.publicKey)) as Record<
        'sharedKey' | 'ciphertext',
        ArrayBuffer
      >
      const opened = await subtle.decapsulateBits!({ name }, pair.privateKey, bits.ciphertext)
      const shared = ['AES-GCM', true, ['encrypt']]
      const sealed = (await subtle.encapsulateKey!({ name }, pair.publicKey, ...shared)) as {
        sharedKey: CryptoKey
        ciphertext: ArrayBuffer
      }
      const key = await subtle.decapsulateKey!(
        { name },
        pair.privateKey,
        sealed.ciphertext,
        ...shared,
      )
      const raw = (one: unknown) => subtle.exportKey!('raw-secret', one) as Promise<ArrayBuffer>
      const publicKey = await subtle.getPublicKey!(pair.privateKey, ['encapsulateBits'])
      return [
        [bits.sharedKey.byteLength, bits.ciphertext.byteLength],
        hex(opened) === hex(bits.sharedKey),
        hex(await raw(key)) === hex(await raw(sealed.sharedKey)),
        [facts(pair.privateKey), facts(publicKey), await exported(subtle, publicKey)],
      ]
    })
  }
  const { supports } = SubtleCrypto as unknown as { supports?: (...args: unknown[]) => boolean }
  const all = [...DIGESTS, ...CIPHERS, ...MACS, ...SIGNATURES, ...DERIVATIONS, ...AGREEMENTS]
  for (const operation of ['digest', 'encrypt', 'sign', 'deriveBits', 'generateKey', 'importKey']) {
    for (const algorithm of [...all, ...KEMS]) {
      const label = `supports ${operation} ${JSON.stringify(algorithm)}`
      await note(label, async () => supports?.call(SubtleCrypto, operation, algorithm) ?? null)
    }
  }
  found.methods = Object.getOwnPropertyNames(SubtleCrypto.prototype).sort()
  return found
}
