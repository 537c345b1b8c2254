/** Keys that were made outside, so that both sides work with the same: JWKs by name. */
export interface MatrixKeys {
  [name: string]: { private: JsonWebKey; public: JsonWebKey }
}

type Subtle = Record<string, (...args: unknown[]) => Promise<unknown>>
type Params = Record<string, unknown> & { name: string }
interface Key {
  type: string
  extractable: boolean
  algorithm: Record<string, unknown>
  usages: string[]
}

const subtle = crypto.subtle as unknown as Subtle
const bytes = (length: number) => new Uint8Array(length).map((_, i) => i * 7 + 1)
const hex = (data: unknown) =>
  [...new Uint8Array(data as ArrayBuffer)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
const subsets = (list: readonly string[]): string[][] =>
  list.reduce((all, one) => all.concat(all.map((set) => [...set, one])), [[]] as string[][])
const isKey = (value: unknown): value is Key & CryptoKey => value instanceof CryptoKey

function facts(value: unknown): unknown {
  if (value instanceof ArrayBuffer) return hex(value)
  if (!isKey(value)) {
    const { publicKey, privateKey } = Object(value) as Record<string, unknown>
    return publicKey === undefined ? value : [facts(publicKey), facts(privateKey)]
  }
  const { type, extractable, algorithm, usages } = value
  return JSON.stringify([type, extractable, algorithm, usages])
}

/** What an attempt gives, or the name of what it throws. */
async function tried(attempt: () => unknown): Promise<unknown> {
  try {
    return facts(await attempt())
  } catch (error) {
    const { name } = error as Error
    // Node 20 gives one error a name that WebCrypto does not have.
    return `throws ${name === 'InvalidAccessException' ? 'InvalidAccessError' : name}`
  }
}

const AES = ['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW']
const CURVES = ['P-256', 'P-384', 'P-521']
const HASHES = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']
const RSA = ['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP']
const USAGES = [
  ...['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits'],
  ...['wrapKey', 'unwrapKey'],
]
const exponent = new Uint8Array([1, 0, 1])

/** The usages that an algorithm has, which is what keys are asked for by. */
function usagesOf(name: string): string[] {
  if (name === 'AES-KW') return ['wrapKey', 'unwrapKey']
  if (name.startsWith('AES') || name === 'RSA-OAEP') {
    return ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']
  }
  const derives = ['ECDH', 'X25519', 'X448', 'HKDF', 'PBKDF2'].includes(name)
  return derives ? ['deriveKey', 'deriveBits'] : ['sign', 'verify']
}

/** How each algorithm's keys may be made. */
const GENERATED: Params[] = [
  ...AES.flatMap((name) => [128, 192, 256].map((length) => ({ name, length }))),
  ...HASHES.map((hash) => ({ name: 'HMAC', hash })),
  { name: 'HMAC', hash: 'SHA-256', length: 160 },
  ...['ECDSA', 'ECDH'].flatMap((name) => CURVES.map((namedCurve) => ({ name, namedCurve }))),
  ...['Ed25519', 'X25519', 'Ed448', 'X448'].map((name) => ({ name })),
]

/** How they may not: each is wrong in one way. */
const NOT_GENERATED: unknown[] = [
  ...['AES', 'AES-CMAC', 'AES-CFB', 'SHA-1', 'HKDF', 'PBKDF2', 'RSA', 'EC', '', 'Ed25519 '],
  ...[undefined, null, 5, {}, { name: null }, { length: 128 }, []],
  ...AES.flatMap((name) =>
    [64, 127, 129, 255, 257, 512, '', null].map((length) => ({ name, length })),
  ),
  ...['SHA', 'MD5', undefined, null, {}].map((hash) => ({ name: 'HMAC', hash })),
  { name: 'HMAC', hash: 'SHA-256', length: 0 },
  ...['P-255', 'p-256', 'K-256', undefined, 5].map((namedCurve) => ({ name: 'ECDSA', namedCurve })),
  ...RSA.flatMap((name) => [
    { name, hash: 'SHA-2', modulusLength: 1024, publicExponent: exponent },
    { name, hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1]) },
    { name, hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([0, 0]) },
    { name, hash: 'SHA-256', modulusLength: 1024, publicExponent: 65537 },
    { name, hash: 'SHA-256', publicExponent: exponent },
    { name, modulusLength: 1024, publicExponent: exponent },
  ]),
]

type Note = (label: string, attempt: () => unknown) => Promise<void>

async function generated(note: Note) {
  for (const algorithm of GENERATED) {
    for (const usages of subsets(usagesOf(algorithm.name))) {
      const extractable = usages.length < 2
      await note(`generate ${JSON.stringify([algorithm, usages, extractable])}`, () =>
        subtle.generateKey!(algorithm, extractable, usages),
      )
    }
    for (const usage of USAGES) {
      await note(`generate ${JSON.stringify(algorithm)} for ${usage}`, () =>
        subtle.generateKey!({ ...algorithm, name: algorithm.name.toLowerCase() }, true, [usage]),
      )
    }
  }
  for (const [i, algorithm] of NOT_GENERATED.entries()) {
    for (const usages of [['sign'], ['encrypt'], [], ['nothing'], 'sign', undefined]) {
      await note(`generate wrong ${i} for ${JSON.stringify(usages)}`, () =>
        subtle.generateKey!(algorithm, true, usages),
      )
    }
  }
}

/** What is written and read: the algorithm, and its key in each format that it has. */
async function written(keys: MatrixKeys) {
  const pairs: [Params, Record<string, unknown>, Record<string, unknown>][] = []
  const forms = async (key: unknown) => {
    const data: Record<string, unknown> = {}
    for (const format of ['raw', 'spki', 'pkcs8', 'jwk']) {
      data[format] = await subtle.exportKey!(format, key).catch(() => bytes(40))
    }
    return data
  }
  const pairOf = async (algorithm: Params, name: string) => {
    const usages = usagesOf(algorithm.name)
    const isPublic = (usage: string) => ['verify', 'encrypt', 'wrapKey'].includes(usage)
    const key = keys[name]!
    const own = usages.filter((usage) => !isPublic(usage))
    const secret = await subtle.importKey!('jwk', key.private, algorithm, true, own)
    const open = await subtle.importKey!(
      'jwk',
      key.public,
      algorithm,
      true,
      usages.filter(isPublic),
    )
    pairs.push([algorithm, await forms(open), await forms(secret)])
  }
  for (const name of RSA) await pairOf({ name, hash: 'SHA-256' }, 'rsa')
  for (const namedCurve of CURVES) {
    await pairOf({ name: 'ECDSA', namedCurve }, namedCurve)
  }
  await pairOf({ name: 'ECDH', namedCurve: 'P-256' }, 'P-256')
  for (const name of ['Ed25519', 'X25519', 'Ed448', 'X448']) await pairOf({ name }, name)
  for (const name of AES) {
    const key = await subtle.importKey!('raw', bytes(24), name, true, usagesOf(name))
    pairs.push([{ name }, await forms(key), {}])
  }
  const hmac = { name: 'HMAC', hash: 'SHA-384' }
  const key = await subtle.importKey!('raw', bytes(50), hmac, true, ['sign'])
  pairs.push([hmac, await forms(key), {}])
  for (const name of ['HKDF', 'PBKDF2']) pairs.push([{ name }, { raw: bytes(9) }, {}])
  return pairs
}

async function imported(note: Note, keys: MatrixKeys) {
  for (const [algorithm, ...sides] of await written(keys)) {
    for (const [side, forms] of sides.entries()) {
      for (const [format, data] of Object.entries(forms)) {
        const label = `import ${JSON.stringify(algorithm)} ${side} as ${format}`
        const attempt = (usages: string[], extractable: boolean) =>
          note(`${label} ${usages} ${extractable}`, async () => {
            const key = await subtle.importKey!(format, data, algorithm, extractable, usages)
            return [facts(key), await tried(() => subtle.exportKey!(format, key))]
          })
        const own = usagesOf(algorithm.name)
        for (const usages of subsets(own)) await attempt(usages, usages.length < 2)
        for (const usage of USAGES) await attempt([usage], false)
        const usages = own.slice(0, 1)
        const cut = data instanceof ArrayBuffer ? data.slice(0, -1) : { ...Object(data), kty: 'x' }
        await note(`${label} damaged`, () =>
          subtle.importKey!(format, cut, algorithm, true, usages),
        )
        await note(`${label} of no format`, () =>
          subtle.importKey!('der', data, algorithm, true, usages),
        )
      }
    }
  }
}

const CIPHERS: Params[] = [
  { name: 'AES-CBC', iv: bytes(16) },
  { name: 'AES-CTR', counter: bytes(16), length: 64 },
  { name: 'AES-GCM', iv: bytes(12), additionalData: bytes(3) },
  { name: 'RSA-OAEP', hash: 'SHA-256', label: bytes(3) },
]

/** The key of a cipher for some usages; of RSA the private one where it opens. */
function cipherKey(
  { name, hash }: Params,
  usages: string[],
  keys: MatrixKeys,
  extractable = false,
) {
  if (!name.startsWith('RSA')) return subtle.importKey!('raw', bytes(32), name, extractable, usages)
  const opens = usages.some((usage) => ['decrypt', 'unwrapKey'].includes(usage))
  const { private: secret, public: open } = keys.rsa!
  return subtle.importKey!('jwk', opens ? secret : open, { name, hash }, extractable, usages)
}

async function encrypted(note: Note, keys: MatrixKeys) {
  for (const algorithm of CIPHERS) {
    const seal = await cipherKey(algorithm, ['encrypt'], keys)
    const open = await cipherKey(algorithm, ['decrypt'], keys)
    const label = (what: string) => `${algorithm.name} ${what}`
    const opened = async (sealed: unknown) => subtle.decrypt!(algorithm, open, sealed)
    await note(label('there and back'), async () =>
      opened(await subtle.encrypt!(algorithm, seal, bytes(60))),
    )
    await note(label('data changed after the call'), async () => {
      const data = bytes(60)
      const sealing = subtle.encrypt!(algorithm, seal, data)
      data.fill(0)
      return opened(await sealing)
    })
    await note(label('data transferred after the call'), async () => {
      const data = bytes(60)
      const sealing = subtle.encrypt!(algorithm, seal, data)
      structuredClone(data.buffer, { transfer: [data.buffer] })
      return opened(await sealing)
    })
    await note(label('parameters changed after the call'), async () => {
      const own = { ...algorithm, iv: bytes(algorithm.name === 'AES-GCM' ? 12 : 16) }
      const sealing = subtle.encrypt!(own, seal, bytes(60))
      own.iv.fill(0)
      return hex(await opened(await sealing)).length
    })
    await note(label('with the other usage'), () => subtle.encrypt!(algorithm, open, bytes(60)))
    await note(label('opened with the other usage'), () =>
      subtle.decrypt!(algorithm, seal, bytes(64)),
    )
    for (const other of CIPHERS) {
      await note(label(`by a key of another: ${other.name}`), () =>
        subtle.encrypt!(other, seal, bytes(60)).then(() => 'sealed'),
      )
    }
    await note(label('damaged'), async () => {
      const sealed = new Uint8Array(
        (await subtle.encrypt!(algorithm, seal, bytes(60))) as ArrayBuffer,
      )
      sealed[0]! ^= 1
      return [await tried(() => opened(sealed)), await tried(() => opened(sealed.subarray(0, 5)))]
    })
  }
}

async function signed(note: Note, keys: MatrixKeys) {
  const pair = async (algorithm: Params, name: string) => {
    const { private: secret, public: open } = keys[name]!
    return [
      await subtle.importKey!('jwk', secret, algorithm, true, ['sign']),
      await subtle.importKey!('jwk', open, algorithm, true, ['verify']),
    ] as const
  }
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const macKey = await subtle.importKey!('raw', bytes(20), hmac, false, ['sign'])
  const macCheck = await subtle.importKey!('raw', bytes(20), hmac, false, ['verify'])
  const all: [Params, readonly [unknown, unknown]][] = [
    [hmac, [macKey, macCheck]],
    ...(await Promise.all([
      ...HASHES.flatMap((hash) =>
        RSA.slice(0, 2).map(
          async (name): Promise<[Params, readonly [unknown, unknown]]> => [
            { name, hash, saltLength: 20 },
            await pair({ name, hash }, 'rsa'),
          ],
        ),
      ),
      ...CURVES.flatMap((namedCurve) =>
        HASHES.map(
          async (hash): Promise<[Params, readonly [unknown, unknown]]> => [
            { name: 'ECDSA', namedCurve, hash },
            await pair({ name: 'ECDSA', namedCurve }, namedCurve),
          ],
        ),
      ),
      ...['Ed25519', 'Ed448'].map(
        async (name): Promise<[Params, readonly [unknown, unknown]]> => [
          { name },
          await pair({ name }, name),
        ],
      ),
    ])),
  ]
  for (const [algorithm, [own, other]] of all) {
    const label = (what: string) => `sign ${JSON.stringify(algorithm)} ${what}`
    const check = (signature: unknown, data = bytes(30), key = other) =>
      subtle.verify!(algorithm, key, signature, data)
    await note(label('is true, and of other data false'), async () => {
      const signature = (await subtle.sign!(algorithm, own, bytes(30))) as ArrayBuffer
      const changed = new Uint8Array(signature.slice(0))
      changed[3]! ^= 1
      return [
        signature.byteLength,
        await check(signature),
        await check(signature, bytes(31)),
        await check(changed),
        await check(signature.slice(1)),
        await check(new ArrayBuffer(0)),
      ]
    })
    await note(label('data and signature changed after the call'), async () => {
      const data = bytes(30)
      const signing = subtle.sign!(algorithm, own, data)
      data.fill(0)
      const signature = new Uint8Array((await signing) as ArrayBuffer)
      const checking = check(signature)
      signature.fill(0)
      return checking
    })
    await note(label('with the wrong key'), async () => [
      await tried(() => subtle.sign!(algorithm, other, bytes(3))),
      await tried(() => check(bytes(64), bytes(3), own)),
    ])
    await note(label('with a key of another algorithm'), async () => [
      await tried(() => subtle.sign!(algorithm, macKey, bytes(3)).then(() => 'signed')),
      await tried(() => check(bytes(64), bytes(3), macCheck)),
    ])
  }
}

/** Every key that can be wrapped, by every key that can wrap, in every format. */
async function wrapped(note: Note, keys: MatrixKeys) {
  const inner: [Params, string, unknown][] = []
  for (const [algorithm, open, secret] of await written(keys)) {
    for (const [format, data] of [...Object.entries(open), ...Object.entries(secret)]) {
      for (const usage of [...usagesOf(algorithm.name).slice(0, 2), undefined]) {
        const usages = usage === undefined ? [] : [usage]
        const key = await subtle.importKey!(format, data, algorithm, true, usages).catch(() => null)
        if (key !== null) inner.push([algorithm, format, key])
      }
    }
  }
  const wrappers: Params[] = [...CIPHERS, { name: 'AES-KW' }]
  for (const by of wrappers) {
    const seal = await cipherKey(by, ['wrapKey'], keys)
    const open = await cipherKey(by, ['unwrapKey'], keys)
    for (const [i, [algorithm, format, key]] of inner.entries()) {
      const { type, usages } = key as Key
      const label = `wrap ${JSON.stringify(algorithm)} ${type} ${usages} ${i} as ${format} by ${by.name}`
      await note(label, async () => {
        const sealed = await subtle.wrapKey!(format, key, seal, by)
        const again = await subtle.unwrapKey!(format, sealed, open, by, algorithm, true, usages)
        const hidden = await subtle.unwrapKey!(format, sealed, open, by, algorithm, false, usages)
        return [
          facts(again),
          facts(hidden),
          facts(await subtle.exportKey!(format, again)),
          await tried(() => subtle.wrapKey!(format, hidden, seal, by)),
          await tried(() => subtle.wrapKey!(format, key, open, by)),
          await tried(() => subtle.unwrapKey!(format, sealed, seal, by, algorithm, true, usages)),
        ]
      })
    }
  }
}

async function derived(note: Note, keys: MatrixKeys) {
  const { P256, other } = { P256: keys['P-256']!, other: keys.other! }
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
  const open = await subtle.importKey!('jwk', other.public, ecdh, true, [])
  const bases: [Params, (usages: string[]) => Promise<unknown>][] = [
    [
      { name: 'HKDF', hash: 'SHA-256', salt: bytes(5), info: bytes(2) },
      (usages) => subtle.importKey!('raw', bytes(16), 'HKDF', false, usages),
    ],
    [
      { name: 'PBKDF2', hash: 'SHA-512', salt: bytes(5), iterations: 3 },
      (usages) => subtle.importKey!('raw', bytes(16), 'PBKDF2', false, usages),
    ],
    [
      { ...ecdh, public: open },
      (usages) => subtle.importKey!('jwk', P256.private, ecdh, false, usages),
    ],
  ]
  const targets: Params[] = [
    ...AES.flatMap((name) => [128, 192, 256, 100].map((length) => ({ name, length }))),
    ...HASHES.map((hash) => ({ name: 'HMAC', hash, length: 256 })),
    { name: 'HKDF' },
    { name: 'PBKDF2' },
    { name: 'ECDSA', namedCurve: 'P-256' },
  ]
  for (const [algorithm, baseFor] of bases) {
    const bits = await baseFor(['deriveBits'])
    const derives = await baseFor(['deriveKey'])
    for (const length of [0, 1, 7, 8, 9, 128, 255, 256, 264, null, undefined]) {
      await note(`bits ${algorithm.name} ${length}`, () =>
        subtle.deriveBits!(algorithm, bits, length),
      )
    }
    await note(`bits ${algorithm.name} by a key for keys`, () =>
      subtle.deriveBits!(algorithm, derives, 128),
    )
    for (const type of targets) {
      const usages = usagesOf(type.name).slice(0, 1)
      await note(`key ${algorithm.name} ${JSON.stringify(type)}`, async () => {
        const key = await subtle.deriveKey!(algorithm, derives, type, type.name !== 'HKDF', usages)
        return [facts(key), await tried(() => subtle.exportKey!('raw', key))]
      })
      await note(`key ${algorithm.name} ${JSON.stringify(type)} by a key for bits`, () =>
        subtle.deriveKey!(algorithm, bits, type, false, usages),
      )
    }
  }
}

async function digested(note: Note) {
  for (const hash of HASHES) {
    for (const name of [hash, hash.toLowerCase(), ` ${hash}`, `${hash}\0`]) {
      for (const length of [0, 1, 64, 1000]) {
        await note(`digest ${name} ${length}`, () => subtle.digest!({ name }, bytes(length)))
      }
    }
    await note(`digest ${hash} data changed after the call`, () => {
      const data = bytes(100)
      const digest = subtle.digest!(hash, data)
      data.fill(0)
      return digest
    })
    await note(`digest ${hash} data transferred after the call`, () => {
      const data = bytes(100)
      const digest = subtle.digest!(hash, data)
      structuredClone(data.buffer, { transfer: [data.buffer] })
      return digest
    })
  }
}

/**
 * What WPT's folder WebCryptoAPI looks at: each operation with each algorithm, each set of usages and each format, right and
 * wrong, and data that changes while the operation is under way.
 */
export default async function matrix(keys: MatrixKeys): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const note: Note = async (label, attempt) => {
    found[label] = await tried(attempt)
  }
  await generated(note)
  await imported(note, keys)
  await encrypted(note, keys)
  await signed(note, keys)
  await wrapped(note, keys)
  await derived(note, keys)
  await digested(note)
  return found
}
