import { type JsonWebKey as NodeJwk, webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000 })
const { subtle } = webcrypto
const toHex = (data: ArrayBuffer) => Buffer.from(data).toString('hex')
const fromHex = (text: string) => Buffer.from(text, 'hex')
const data = new TextEncoder().encode('signed')

async function inSandbox<Value>(body: string, event: unknown = null): Promise<Value> {
  const { value, error } = await runtime.executeHandler(
    handler(
      `const { subtle } = crypto; const hex = (b) => new Uint8Array(b).toHex(); const data = new TextEncoder().encode('signed'); ${body}`,
    ),
    { event },
  )
  if (error) throw new Error(`${error.name}: ${error.message}`)
  return value as Value
}

const CURVES = ['P-256', 'P-384', 'P-521'].map((namedCurve) => ({
  key: { name: 'ECDSA', namedCurve },
  sign: { name: 'ECDSA', hash: 'SHA-256' },
}))
const RSA = {
  key: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  sign: { name: 'RSASSA-PKCS1-v1_5' },
}
const RSA_IN_GUEST = `{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }`

describe.each([
  ...CURVES.map((curve) => [curve.key.namedCurve, curve, JSON.stringify(curve.key)] as const),
  ['RSA', RSA, RSA_IN_GUEST] as const,
])('keys of %s', (_, { key, sign }, inGuest) => {
  const generate = () =>
    subtle.generateKey(key, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

  it('that Node wrote are read: PKCS #8, SPKI and JWK', async () => {
    const pair = await generate()
    const event = {
      pkcs8: toHex(await subtle.exportKey('pkcs8', pair.privateKey)),
      spki: toHex(await subtle.exportKey('spki', pair.publicKey)),
      privateJwk: await subtle.exportKey('jwk', pair.privateKey),
      publicJwk: await subtle.exportKey('jwk', pair.publicKey),
      signature: toHex(await subtle.sign(sign, pair.privateKey, data)),
    }
    const [verified, ...signatures] = await inSandbox<[boolean[], string, string]>(
      `const algorithm = ${inGuest}, sign = ${JSON.stringify(sign)}
       const bytes = (name) => Uint8Array.fromHex(event[name])
       const publics = [await subtle.importKey('spki', bytes('spki'), algorithm, true, ['verify']), await subtle.importKey('jwk', event.publicJwk, algorithm, true, ['verify'])]
       const privates = [await subtle.importKey('pkcs8', bytes('pkcs8').buffer, algorithm, true, ['sign']), await subtle.importKey('jwk', event.privateJwk, algorithm, true, ['sign'])]
       return [await Promise.all(publics.map((key) => subtle.verify(sign, key, bytes('signature'), data))),
         ...await Promise.all(privates.map(async (key) => hex(await subtle.sign(sign, key, data))))]`,
      event,
    )
    expect(verified).toEqual([true, true])
    for (const signature of signatures) {
      expect(await subtle.verify(sign, pair.publicKey, fromHex(signature), data)).toBe(true)
    }
  })

  it('that the sandbox wrote are read by Node', async () => {
    const made = await inSandbox<{
      pkcs8: string
      spki: string
      publicJwk: NodeJwk
      privateJwk: NodeJwk | null
      signature: string
    }>(`const algorithm = ${inGuest}, sign = ${JSON.stringify(sign)}
       const pair = await subtle.generateKey(algorithm, true, ['sign', 'verify'])
       return { pkcs8: hex(await subtle.exportKey('pkcs8', pair.privateKey)), spki: hex(await subtle.exportKey('spki', pair.publicKey)),
         publicJwk: await subtle.exportKey('jwk', pair.publicKey), privateJwk: await subtle.exportKey('jwk', pair.privateKey).catch((e) => e.name === 'NotSupportedError' ? null : e.name),
         signature: hex(await subtle.sign(sign, pair.privateKey, data)) }`)
    const publics = [
      await subtle.importKey('spki', fromHex(made.spki), key, true, ['verify']),
      await subtle.importKey('jwk', made.publicJwk, key, true, ['verify']),
    ]
    for (const publicKey of publics) {
      expect(await subtle.verify(sign, publicKey, fromHex(made.signature), data)).toBe(true)
    }
    const privates = [await subtle.importKey('pkcs8', fromHex(made.pkcs8), key, true, ['sign'])]
    if (made.privateJwk) {
      privates.push(await subtle.importKey('jwk', made.privateJwk, key, true, ['sign']))
    }
    for (const privateKey of privates) {
      const signature = await subtle.sign(sign, privateKey, data)
      expect(await subtle.verify(sign, publics[0]!, signature, data)).toBe(true)
    }
  })
})

it('a secret key crosses as JWK', async () => {
  const jwk = { kty: 'oct', k: Buffer.from('a key').toString('base64url') }
  const [signature, exported] = await inSandbox<[string, NodeJwk]>(
    `const key = await subtle.importKey('jwk', event, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
     return [hex(await subtle.sign('HMAC', key, data)), await subtle.exportKey('jwk', key)]`,
    jwk,
  )
  const key = await subtle.importKey('jwk', jwk, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
  expect(signature).toBe(toHex(await subtle.sign('HMAC', key, data)))
  expect(exported).toMatchObject({ ...jwk, ext: true, key_ops: ['sign'] })
})

it.each([
  `subtle.importKey('spki', new Uint8Array([0x30, 0x82]), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])`,
  `subtle.importKey('spki', new Uint8Array(0), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])`,
  `subtle.importKey('pkcs8', Uint8Array.fromHex('3003020100'), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])`,
  `subtle.importKey('jwk', { kty: 'EC', crv: 'P-384', x: '', y: '' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])`,
  `subtle.importKey('jwk', { kty: 'RSA', n: 'AQAB' }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify'])`,
  `subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']).then(async (pair) => subtle.importKey('spki', await subtle.exportKey('spki', pair.publicKey), { name: 'ECDSA', namedCurve: 'P-384' }, true, ['verify']))`,
])('what is no key of that kind is refused: %s', async (expression) => {
  expect(await inSandbox(`return ${expression}.then(() => 'read', (e) => e.name)`)).toBe(
    'DataError',
  )
})

it('a key that is not extractable stays inside, in every format', async () => {
  expect(
    await inSandbox(`const key = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return Promise.all(['raw', 'jwk'].map((format) => subtle.exportKey(format, key).then(() => 'exported', () => 'refused')))`),
  ).toEqual(['refused', 'refused'])
})
