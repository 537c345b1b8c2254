// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import crypto from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as any
const data = Buffer.from('the quick brown fox, ünïcode')

/** Read from its bytes: Node 20 itself may stop for ever when it is asked for details of a key that it has just generated. */
const pairOf = (type: any, options: object) => {
  const publicKeyEncoding = { type: 'spki', format: 'pem' }
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' }
  const encodings = { publicKeyEncoding, privateKeyEncoding }
  const pair = crypto.generateKeyPairSync(type, { ...options, ...encodings } as any)
  return {
    publicKey: crypto.createPublicKey(pair.publicKey as any),
    privateKey: crypto.createPrivateKey(pair.privateKey as any),
  }
}
// Made while the module loads: they live with the handler.
const rsa = pairOf('rsa', { modulusLength: 2048 })
const ec = pairOf('ec', { namedCurve: 'P-256' })
const ed = pairOf('ed25519', {})
const secret = crypto.createSecretKey(Buffer.from('a secret of some length'))
/** Where versions of Node say it differently. */
const codeOf = (run: () => unknown) => {
  try {
    return run()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}
const DIGESTS = [
  'md5',
  'sha1',
  'sha256',
  'SHA384',
  'RSA-SHA512',
  'sha3-256',
  'ripemd160',
  'blake2b512',
]
const EC_PRIVATE = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNCFOSpKJDx8CDohc
1RWRDsR+zsEhnuBZwPtPlJdZx6yhRANCAATxDtQcBH9Ar6H6Zvrd3yzlxF0Klv3n
pXBfQ6hxkl0dNp5JyONJ0RkPPyWJ4zKJ2bkf3Ccyp7VfqHaBp0RkX8cd
-----END PRIVATE KEY-----`

const cases: (() => unknown)[] = [
  () => DIGESTS.map((name) => crypto.createHash(name).update(data).digest('hex')),
  () =>
    crypto
      .createHash('sha256')
      .update('ü')
      .update('ff00', 'hex')
      .update('Zg==', 'base64')
      .digest('base64'),
  () =>
    crypto
      .createHash('sha256')
      .update(new Uint16Array([1, 2]))
      .update(new DataView(new ArrayBuffer(3)))
      .digest(),
  () => crypto.createHash('sha256').digest('base64url'),
  () => crypto.createHash('shake128', { outputLength: 40 }).update('a').digest('hex'),
  () => crypto.createHash('sha256').copy().update('a').digest('hex'),
  () => {
    const hash = crypto.createHash('sha1').update('a')
    const copy = hash.copy()
    return [hash.update('b').digest('hex'), copy.update('c').digest('hex')]
  },
  () => {
    const bytes = Buffer.from('abc')
    const hash = crypto.createHash('sha1').update(bytes)
    bytes.fill(0)
    return hash.digest('hex')
  },
  () => crypto.createHash('nothing'),
  () => crypto.createHash(any(5)),
  () => crypto.createHash('sha256').update(any(5)),
  () => crypto.createHash('sha256').update(any(undefined)),
  () => {
    const hash = crypto.createHash('sha256')
    hash.digest()
    return hash.update('a')
  },
  () => {
    const hash = crypto.createHash('sha256')
    hash.digest()
    return hash.digest()
  },
  () => DIGESTS.map((name) => crypto.createHmac(name, 'key').update(data).digest('hex')),
  () => crypto.createHmac('sha256', secret).update('a').digest('hex'),
  () => crypto.createHmac('sha256', '').update('a').digest('hex'),
  () => crypto.createHmac('nothing', 'key'),
  () => crypto.createHmac('sha256', any(undefined)),
  () => crypto.createHmac('sha256', rsa.publicKey),
  () => {
    const hmac = crypto.createHmac('sha256', 'k').update('a')
    return [hmac.digest('hex'), hmac.digest('hex'), hmac.digest().length]
  },

  () => [0, 1, 1000].map((size) => crypto.randomBytes(size).length),
  () => [
    crypto.randomBytes(8) instanceof Buffer,
    crypto.randomBytes(16).equals(crypto.randomBytes(16)),
  ],
  () => crypto.randomBytes(-1),
  () => crypto.randomBytes(any('5')),
  async () => (await promisify(crypto.randomBytes)(9)).length,
  () => crypto.randomFillSync(new Uint32Array(4)).some((word) => word > 0),
  () => {
    const filled = crypto.randomFillSync(Buffer.alloc(40), 10, 20)
    return [
      filled.subarray(0, 10),
      filled.subarray(30),
      filled.subarray(10, 30).some((byte) => byte > 0),
    ]
  },
  () => crypto.randomFillSync(Buffer.alloc(4), 5),
  () => crypto.randomFillSync(any('text')),
  () => Array.from({ length: 200 }, () => crypto.randomInt(3, 6)).every((n) => n >= 3 && n < 6),
  () => new Set(Array.from({ length: 200 }, () => crypto.randomInt(4))).size,
  () => crypto.randomInt(5, 5),
  () => crypto.randomInt(0),
  () => crypto.randomInt(any('a')),
  () => crypto.randomInt(0, 2 ** 49),
  () =>
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(
      crypto.randomUUID(),
    ),
  () => crypto.timingSafeEqual(Buffer.from('abc'), Buffer.from('abc')),
  () => crypto.timingSafeEqual(Buffer.from('abc'), new Uint8Array([97, 98, 100])),
  () => crypto.timingSafeEqual(Buffer.from('abc'), Buffer.from('ab')),
  () => codeOf(() => crypto.timingSafeEqual(any('abc'), Buffer.from('abc'))),

  () =>
    ['sha1', 'sha256', 'sha512', 'sha3-256'].map((digest) =>
      crypto.pbkdf2Sync('password', 'salt', 100, 70, digest).toString('hex'),
    ),
  async () =>
    (await promisify(crypto.pbkdf2)(data, Buffer.from('salt'), 10, 20, 'sha384')).toString('hex'),
  () => crypto.pbkdf2Sync('p', 's', 0, 10, 'sha1'),
  () => crypto.pbkdf2Sync('p', 's', 1, -1, 'sha1'),
  () => crypto.pbkdf2Sync('p', 's', 1.5, 1, 'sha1'),
  () => crypto.pbkdf2Sync('p', 's', 1, 10, 'nothing'),
  () => crypto.pbkdf2Sync('p', 's', 1, 10, any(undefined)),
  () => crypto.pbkdf2Sync(any(5), 's', 1, 10, 'sha1'),
  () => crypto.pbkdf2('p', 's', 1, 10, 'sha1', any(undefined)),
  () => crypto.scryptSync('password', 'salt', 40, { N: 16, r: 4, p: 2 }).toString('hex'),
  () =>
    crypto
      .scryptSync('password', 'salt', 16, { cost: 32, blockSize: 2, parallelization: 1 })
      .toString('hex'),
  async () => (await (promisify(crypto.scrypt) as any)('password', 'salt', 16)).toString('hex'),
  () => crypto.scryptSync('password', 'salt', 16, { N: 15 }),
  () => crypto.scryptSync('password', 'salt', 16, { N: 2 ** 20 }),
  () =>
    ['sha1', 'sha256', 'sha512'].map((digest) =>
      Buffer.from(crypto.hkdfSync(digest, 'key', 'salt', 'info', 50)).toString('hex'),
    ),
  async () => Buffer.from(await promisify(crypto.hkdf)('sha256', data, '', '', 20)).toString('hex'),
  () => crypto.hkdfSync('sha256', 'key', 'salt', 'info', 255 * 32 + 1),
  () => crypto.hkdfSync('nothing', 'key', 'salt', 'info', 10),

  () =>
    ['sha1', 'sha256', 'RSA-SHA512'].map((name) => {
      const signature = crypto.createSign(name).update('a').update(data).sign(rsa.privateKey)
      const verify = (text: string) =>
        crypto.createVerify(name).update('a').update(text).verify(rsa.publicKey, signature)
      return [signature.length, verify(data.toString()), verify('other')]
    }),
  () => {
    const key = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })
    const signature = crypto.createSign('RSA-SHA256').update(data).sign(key, 'base64')
    const spki = rsa.publicKey.export({ type: 'spki', format: 'pem' })
    return crypto.createVerify('RSA-SHA256').update(data).verify(spki, signature, 'base64')
  },
  () =>
    [0, 32, crypto.constants.RSA_PSS_SALTLEN_DIGEST].map((saltLength) => {
      const padding = crypto.constants.RSA_PKCS1_PSS_PADDING
      const signature = crypto.sign('sha256', data, { key: rsa.privateKey, padding, saltLength })
      return [7, 32, saltLength].map((length) =>
        crypto.verify(
          'sha256',
          data,
          { key: rsa.publicKey, padding, saltLength: length },
          signature,
        ),
      )
    }),
  () =>
    ['der', 'ieee-p1363'].map((dsaEncoding: any) => {
      const signature = crypto.sign('sha256', data, { key: ec.privateKey, dsaEncoding })
      return [
        dsaEncoding === 'der' || signature.length,
        crypto.verify('sha256', data, { key: ec.publicKey, dsaEncoding }, signature),
        crypto.verify('sha256', data, ec.publicKey, signature) === (dsaEncoding === 'der'),
      ]
    }),
  () => {
    const signature = crypto.sign(null, data, ed.privateKey)
    return [
      crypto.verify(null, data, ed.publicKey, signature),
      crypto.verify(null, Buffer.from('x'), ed.publicKey, signature),
    ]
  },
  () => crypto.createSign('nothing'),
  () => crypto.createSign('sha256').update('a').sign(any(undefined)),
  () => crypto.createSign('sha256').update('a').sign('no key'),
  () => crypto.createSign('sha256').update('a').sign(rsa.publicKey),
  () => crypto.sign('sha256', any(5), rsa.privateKey),
  () => crypto.createVerify('sha256').update('a').verify(rsa.publicKey, Buffer.from('short')),

  () =>
    [rsa, ec, ed].map(({ privateKey, publicKey }) => [
      privateKey.type,
      publicKey.type,
      privateKey.asymmetricKeyType,
      publicKey.asymmetricKeyDetails,
    ]),
  () => [
    secret.type,
    secret.symmetricKeySize,
    secret.export().toString(),
    secret.export({ format: 'jwk' }),
  ],
  () => Object.keys(rsa.privateKey.export({ format: 'jwk' })).sort(),
  () => {
    const jwk = ec.privateKey.export({ format: 'jwk' })
    const again = crypto.createPrivateKey({ key: jwk as any, format: 'jwk' })
    return [
      again.equals(ec.privateKey),
      crypto.createPublicKey(again as any).equals(ec.publicKey),
      crypto.createPublicKey(ec.privateKey as any).type,
    ]
  },
  () => {
    const der = rsa.publicKey.export({ type: 'pkcs1', format: 'der' })
    return crypto.createPublicKey({ key: der, format: 'der', type: 'pkcs1' }).equals(rsa.publicKey)
  },
  () => crypto.createPublicKey('no key'),
  () => crypto.createPrivateKey(EC_PRIVATE.replace('MIGH', 'AAAA')),
  () => crypto.createSecretKey(any(5)),
  () => crypto.createPublicKey(secret as any),
  () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', {
      namedCurve: 'P-384',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    return [publicKey.split('\n')[0], privateKey.split('\n')[0]]
  },
  async () => (await promisify(crypto.generateKeyPair)('ed25519')).publicKey.asymmetricKeyType,
  () => crypto.generateKeyPairSync(any('nothing'), any({})) === undefined || 'unreachable',
  () => {
    const other = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const one = crypto.diffieHellman({ privateKey: ec.privateKey, publicKey: other.publicKey })
    return one.equals(
      crypto.diffieHellman({ privateKey: other.privateKey, publicKey: ec.publicKey }),
    )
  },

  () => {
    const sealed = crypto.publicEncrypt(
      { key: rsa.publicKey, oaepHash: 'sha256', oaepLabel: Buffer.from('l') },
      data,
    )
    return [
      sealed.length,
      crypto
        .privateDecrypt(
          { key: rsa.privateKey, oaepHash: 'sha256', oaepLabel: Buffer.from('l') },
          sealed,
        )
        .toString(),
    ]
  },
  () => crypto.publicDecrypt(rsa.publicKey, crypto.privateEncrypt(rsa.privateKey, data)).toString(),
  () => crypto.publicEncrypt(rsa.publicKey, Buffer.alloc(500)),

  () =>
    ['aes-128-cbc', 'aes-256-ctr', 'aes-192-ecb'].map((name) => {
      const key = Buffer.alloc(Number(name.split('-')[1]) / 8, 7)
      const iv = name.endsWith('ecb') ? null : Buffer.alloc(16, 9)
      const cipher = crypto.createCipheriv(name, key, iv)
      const parts = [
        cipher.update('some', 'utf8', 'hex'),
        cipher.update(data, undefined, 'hex'),
        cipher.final('hex'),
      ]
      const decipher = crypto.createDecipheriv(name, key, iv)
      return [parts, decipher.update(parts.join(''), 'hex', 'utf8') + decipher.final('utf8')]
    }),
  () =>
    ['aes-256-gcm', 'chacha20-poly1305'].map((name: any) => {
      const [key, iv] = [Buffer.alloc(32, 3), Buffer.alloc(12, 5)]
      const cipher = crypto.createCipheriv(name, key, iv, {
        authTagLength: 16,
      } as any) as crypto.CipherGCM
      cipher.setAAD(Buffer.from('about'))
      const sealed = Buffer.concat([cipher.update(data), cipher.final()])
      const tag = cipher.getAuthTag()
      const open = (bytes: Buffer) => {
        const decipher = crypto.createDecipheriv(name, key, iv, {
          authTagLength: 16,
        } as any) as crypto.DecipherGCM
        decipher.setAAD(Buffer.from('about')).setAuthTag(tag)
        return Buffer.concat([decipher.update(bytes), decipher.final()]).toString()
      }
      const failure = () => {
        try {
          return open(Buffer.concat([Buffer.from([1]), sealed.subarray(1)]))
        } catch (error) {
          return (error as Error).message
        }
      }
      return [sealed.toString('hex'), tag.toString('hex'), open(sealed), failure()]
    }),
  () => crypto.createCipheriv('nothing', Buffer.alloc(16), Buffer.alloc(16)),
  () => crypto.createCipheriv('aes-128-cbc', Buffer.alloc(15), Buffer.alloc(16)),
  () => crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(15)),
  () => {
    const decipher = crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16))
    decipher.update(Buffer.alloc(16))
    return decipher.final()
  },
  () => crypto.getCipherInfo('aes-256-gcm'),
  () => crypto.getCipherInfo('nothing'),

  () => [
    crypto.getHashes().includes('sha256'),
    crypto.getCiphers().includes('aes-256-gcm'),
    crypto.getCurves().includes('prime256v1'),
  ],
  async () => {
    const hash = crypto.createHash('sha256')
    await pipeline(Readable.from(['a', Buffer.from('b')]), hash)
    return [hash.read().toString('hex'), hash.readableEnded]
  },
  () => text(Readable.from(['ab']).pipe(crypto.createHash('md5').setEncoding('hex'))),
  () => text(Readable.from(['ab']).pipe(crypto.createHmac('md5', 'k')).setEncoding('base64')),
  () =>
    new Promise((resolve) => {
      const hash = crypto.createHash('sha1')
      hash.on('readable', () => {
        const digest = hash.read()
        if (digest) resolve(digest.toString('hex'))
      })
      hash.write('some data')
      hash.end()
    }),
  async () => {
    const key = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)] as const
    const sealed: Buffer[] = []
    const cipher = crypto.createCipheriv('aes-128-cbc', ...key)
    for await (const chunk of Readable.from(['some ', data]).pipe(cipher)) sealed.push(chunk)
    const opened = new PassThrough()
    await pipeline(Readable.from(sealed), crypto.createDecipheriv('aes-128-cbc', ...key), opened)
    return [Buffer.concat(sealed).toString('hex'), opened.read().toString()]
  },
  () =>
    pipeline(
      Readable.from([Buffer.alloc(15)]),
      crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)),
      new PassThrough(),
    ).catch((error) => [error.code, error.name]),
  async () => {
    const sign = crypto.createSign('sha256')
    sign.write('a')
    sign.end(data)
    await new Promise((resolve) => sign.on('finish', resolve))
    const verify = crypto.createVerify('sha256')
    verify.end(Buffer.concat([Buffer.from('a'), data]))
    return verify.verify(ec.publicKey, sign.sign(ec.privateKey))
  },
  () => {
    const [one, other] = [crypto.createECDH('secp256k1'), crypto.createECDH('secp256k1')]
    const key = one.generateKeys()
    other.generateKeys('hex', 'compressed')
    return [
      key.length,
      one.getPublicKey('hex', 'compressed').length,
      one.computeSecret(other.getPublicKey()).equals(other.computeSecret(key)),
      one.computeSecret(other.getPublicKey('hex'), 'hex', 'hex') ===
        any(other).computeSecret(key, null, 'hex'),
    ]
  },
  () => {
    const ecdh = crypto.createECDH('prime256v1')
    ecdh.setPrivateKey('11'.repeat(32), 'hex')
    return [
      ecdh.getPrivateKey('hex'),
      ecdh.getPublicKey('hex'),
      ecdh.getPublicKey('base64', 'hybrid'),
    ]
  },
  () => crypto.createECDH('nothing'),
  () => crypto.createECDH('secp256k1').getPublicKey(),
  () => crypto.createECDH('secp256k1').computeSecret(Buffer.alloc(10)),
  () => crypto.createECDH('secp256k1').getPublicKey('hex', any('other')),
  () => {
    const ecdh = crypto.createECDH('secp256k1')
    ecdh.generateKeys()
    return codeOf(() => ecdh.computeSecret(Buffer.alloc(10)))
  },
  () => {
    const [one, other] = [
      crypto.getDiffieHellman('modp5'),
      crypto.createDiffieHellmanGroup('modp5'),
    ]
    const keys = [any(one.generateKeys()), any(other.generateKeys())] as const
    return [
      one.computeSecret(keys[1]).equals(other.computeSecret(keys[0])),
      one.getPrime('hex').slice(0, 20),
      one.getGenerator('hex'),
      one.verifyError,
      one.getPublicKey().equals(keys[0]),
    ]
  },
  () => {
    const prime = 'c51f7bf8f0e1cf899243cdf408b1bc7c09c010e33ef7f3fbe5bd5feaf906113b'
    const dh = crypto.createDiffieHellman(prime, 'hex', '05', 'hex')
    dh.setPrivateKey('9fdad556f22664ff1e8adcae7dd5a4cd5ca0f5a2b5a1a5e2c3a5f1c5d4b3a2f1', 'hex')
    return [
      dh.generateKeys('hex'),
      dh.getPrime('hex'),
      dh.getGenerator('hex'),
      typeof dh.verifyError,
    ]
  },
  () => crypto.getDiffieHellman('nothing'),
  () =>
    codeOf(() => crypto.getDiffieHellman('modp5').computeSecret(Buffer.alloc(4, 1))) !== undefined,
  () => crypto.createDiffieHellman(any(undefined)),

  () => crypto.webcrypto.subtle === crypto.subtle,
  async () => Buffer.from(await crypto.subtle.digest('SHA-256', data)).toString('hex'),
  () => crypto.getRandomValues(new Uint8Array(5)).length,
]

export default () => outcomes(cases)
