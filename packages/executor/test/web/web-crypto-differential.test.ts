import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 1, timeoutMs: 60_000, maxHostCalls: 100_000 })

/** What the expressions below may use, in the sandbox and in Node. */
const SCOPE = `
  const { subtle } = crypto
  const x = (hex) => new Uint8Array((hex.match(/../g) ?? []).map((two) => parseInt(two, 16)))
  const hex = (data) => [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const of = (length) => new Uint8Array(length).map((_, i) => i * 7 + 1)
  const raw = (algorithm, usages, length = 32, extractable = true) => subtle.importKey('raw', of(length), algorithm, extractable, usages)
  const jwk = (key, algorithm, usages, extractable = true) => subtle.importKey('jwk', key, algorithm, extractable, usages)
  const facts = (key) => ({ type: key.type, extractable: key.extractable, usages: key.usages, tag: String(key),
    algorithm: { ...key.algorithm, publicExponent: key.algorithm.publicExponent && hex(key.algorithm.publicExponent) } })
  const all = async (list, run) => { const out = []; for (const one of list) out.push(await run(one).catch((e) => e.name)); return out }
`
const jwkOf = (key: { export(options: { format: 'jwk' }): object }) => key.export({ format: 'jwk' })
const keys = Object.fromEntries(
  ['P-256', 'P-384', 'P-521'].map((namedCurve) => {
    const pair = generateKeyPairSync('ec', { namedCurve })
    return [namedCurve, { private: jwkOf(pair.privateKey), public: jwkOf(pair.publicKey) }]
  }),
)
for (const type of ['ed25519', 'ed448', 'x25519', 'x448'] as const) {
  const pair = generateKeyPairSync(type as 'ed25519')
  keys[type] = { private: jwkOf(pair.privateKey), public: jwkOf(pair.publicKey) }
}
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { d, p, q, dp, dq, qi, ...publicNumbers } = jwkOf(rsa.privateKey) as Record<string, string>
keys.rsa = {
  private: { d, p, q, dp, dq, qi, ...publicNumbers } as object,
  public: publicNumbers as object,
}

type Outcome = { value: unknown } | { name: string; isDOMException: boolean }

const OUTCOME = `
  try { return { value: await (async () => (EXPRESSION))() } }
  catch (error) { return { name: error.name, isDOMException: error instanceof DOMException } }`

async function inSandbox(expression: string, event: object): Promise<Outcome> {
  const code = `export default async (event) => { ${SCOPE}; ${OUTCOME.replace('EXPRESSION', () => expression)} }`
  const result = await runtime.executeHandler<Outcome>(code, { event })
  if (result.status === 'success') return result.value
  throw new Error(`${result.status}: ${result.error?.message}`)
}

async function inNode(expression: string, event: object): Promise<Outcome> {
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = new AsyncFunction(
    'event',
    `${SCOPE}; ${OUTCOME.replace('EXPRESSION', () => expression)}`,
  )
  const outcome = JSON.stringify(await run(event))
  // Node 20 gives one error a name that WebCrypto does not have.
  return JSON.parse(outcome.replaceAll('InvalidAccessException', 'InvalidAccessError'))
}

const HASHES = `['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']`
const CASES: Record<string, string[]> = {
  digest: [
    `all([...${HASHES}, 'sha-256', { name: 'Sha-512' }, 'MD5', 'SHA3-256-x', '', null, undefined, 5, {}], async (hash) => hex(await subtle.digest(hash, of(100))))`,
    `all([new DataView(of(9).buffer, 2, 3), of(9).subarray(1, 4), of(8).buffer, new Float64Array([1, 2]), 'text', [1, 2], null, undefined], async (data) => hex(await subtle.digest('SHA-256', data)))`,
    `subtle.digest.call({}, 'SHA-256', of(1))`,
  ],
  HKDF: [
    `all(${HASHES}, async (hash) => hex(await subtle.deriveBits({ name: 'HKDF', hash, salt: of(3), info: of(5) }, await raw('HKDF', ['deriveBits'], 20, false), 256)))`,
    `all([0, 8, 128, 264, 7, null, undefined, 255 * 256, 255 * 256 + 8], async (length) => hex(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: of(0), info: of(0) }, await raw('HKDF', ['deriveBits'], 20, false), length)).length)`,
    `all([{}, { hash: 'SHA-256' }, { hash: 'SHA-256', salt: of(1) }, { hash: 'MD5', salt: of(1), info: of(1) }, { hash: 'SHA-1', salt: 'text', info: of(1) }], async (members) => hex(await subtle.deriveBits({ name: 'HKDF', ...members }, await raw('HKDF', ['deriveBits'], 20, false), 64)))`,
    `all([{ name: 'AES-GCM', length: 128 }, { name: 'AES-CBC', length: 256 }, { name: 'HMAC', hash: 'SHA-1' }, { name: 'HMAC', hash: 'SHA-512', length: 100 }, { name: 'AES-KW', length: 100 }], async (type) => { const key = await subtle.deriveKey({ name: 'HKDF', hash: 'SHA-384', salt: of(3), info: of(5) }, await raw('HKDF', ['deriveKey'], 20, false), type, true, type.name === 'HMAC' ? ['sign'] : type.name === 'AES-KW' ? ['wrapKey'] : ['encrypt']); return [facts(key), hex(await subtle.exportKey('raw', key))] })`,
    `subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: of(1), info: of(1) }, await raw('HKDF', ['deriveKey'], 20, false), 64)`,
    `raw('HKDF', ['deriveBits'], 20, true)`,
  ],
  PBKDF2: [
    `all(${HASHES}, async (hash) => hex(await subtle.deriveBits({ name: 'PBKDF2', hash, salt: of(3), iterations: 1000 }, await raw('PBKDF2', ['deriveBits'], 9, false), 512)))`,
    `all([1, '3', 1.5, 0, -1, NaN, 2 ** 32, undefined, null, true], async (iterations) => hex(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: of(3), iterations }, await raw('PBKDF2', ['deriveBits'], 9, false), 64)))`,
    `all([0, 8, 128, 7, null], async (length) => hex(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: of(3), iterations: 2 }, await raw('PBKDF2', ['deriveBits'], 9, false), length)))`,
  ],
  HMAC: [
    `all(${HASHES}, async (hash) => hex(await subtle.sign('HMAC', await raw({ name: 'HMAC', hash }, ['sign']), of(70))))`,
    `all([undefined, 256, 255, 249, 248, 300, 0], async (length) => { const key = await raw({ name: 'HMAC', hash: 'SHA-256', length }, ['sign']); return [facts(key), hex(await subtle.exportKey('raw', key)), hex(await subtle.sign('HMAC', key, of(3)))] })`,
    `subtle.verify('HMAC', await raw({ name: 'HMAC', hash: 'SHA-1' }, ['sign']), of(20), of(1))`,
    `subtle.sign('HMAC', await raw({ name: 'HMAC', hash: 'SHA-1' }, ['verify']), of(1))`,
    `all([20, 19, 21, 0], async (length) => { const key = await raw({ name: 'HMAC', hash: 'SHA-1' }, ['sign', 'verify']); const tag = new Uint8Array(24); tag.set(new Uint8Array(await subtle.sign('HMAC', key, of(5)))); return subtle.verify('HMAC', key, tag.subarray(0, length), of(5)) })`,
    `all([undefined, 64, 1024, 1000], async (length) => { const key = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-384', length }, true, ['sign', 'verify']); return [facts(key), (await subtle.exportKey('raw', key)).byteLength] })`,
  ],
  'AES-GCM': [
    `all([undefined, 32, 64, 96, 104, 112, 120, 128, 0, 31, 136, '128', NaN], async (tagLength) => hex(await subtle.encrypt({ name: 'AES-GCM', iv: of(12), additionalData: of(5), tagLength }, await raw('AES-GCM', ['encrypt'], 16), of(20))))`,
    `all([0, 8, 12, 16, 64, 128], async (length) => hex(await subtle.encrypt({ name: 'AES-GCM', iv: of(length) }, await raw('AES-GCM', ['encrypt'], 24), of(20))))`,
    `all([{}, { iv: 'text' }, { iv: of(12), additionalData: 'text' }], async (members) => hex(await subtle.encrypt({ name: 'AES-GCM', ...members }, await raw('AES-GCM', ['encrypt']), of(20))))`,
    `all([0, 15, 19, 35], async (at) => { const key = await raw('AES-GCM', ['encrypt', 'decrypt']); const sealed = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: of(12) }, key, of(20))); const whole = hex(await subtle.decrypt({ name: 'AES-GCM', iv: of(12) }, key, sealed)); sealed[at] ^= 1; return [whole, await subtle.decrypt({ name: 'AES-GCM', iv: of(12) }, key, sealed).catch((e) => e.name)] })`,
    `subtle.decrypt({ name: 'AES-GCM', iv: of(12) }, await raw('AES-GCM', ['decrypt']), of(3))`,
    `subtle.decrypt({ name: 'AES-CBC', iv: of(16) }, await raw('AES-GCM', ['decrypt']), of(16))`,
  ],
  'AES-CBC and AES-CTR': [
    `all([0, 1, 15, 16, 17], async (length) => hex(await subtle.encrypt({ name: 'AES-CBC', iv: of(16) }, await raw('AES-CBC', ['encrypt']), of(length))))`,
    `all([of(16), of(32), of(15), of(0)], async (data) => hex(await subtle.decrypt({ name: 'AES-CBC', iv: of(16) }, await raw('AES-CBC', ['decrypt']), data)))`,
    `all([0, 12, 15, 17], async (length) => hex(await subtle.encrypt({ name: 'AES-CBC', iv: of(length) }, await raw('AES-CBC', ['encrypt']), of(4))))`,
    `all([1, 2, 8, 31, 32, 64, 127, 128, 0, 129, undefined], async (length) => hex(await subtle.encrypt({ name: 'AES-CTR', counter: x('ff'.repeat(16)), length }, await raw('AES-CTR', ['encrypt']), of(30))))`,
    `all([of(15), of(17), undefined], async (counter) => hex(await subtle.encrypt({ name: 'AES-CTR', counter, length: 64 }, await raw('AES-CTR', ['encrypt']), of(30))))`,
    `subtle.encrypt({ name: 'AES-CTR', counter: of(16), length: 1 }, await raw('AES-CTR', ['encrypt']), of(48))`,
    `all([128, 192, 256, 0, 64, 127, '256', undefined], async (length) => facts(await subtle.generateKey({ name: 'AES-CTR', length }, false, ['encrypt'])))`,
  ],
  'AES-KW and wrapping': [
    `all([16, 24, 32, 7, 8, 17], async (length) => hex(await subtle.wrapKey('raw', await raw({ name: 'HMAC', hash: 'SHA-1' }, ['sign'], length), await raw('AES-KW', ['wrapKey']), 'AES-KW')))`,
    `all([of(24), of(40), of(23), of(16), of(8), of(0)], async (data) => facts(await subtle.unwrapKey('raw', data, await raw('AES-KW', ['unwrapKey']), 'AES-KW', 'AES-GCM', true, ['encrypt'])))`,
    `all(['AES-CBC', 'AES-GCM', 'AES-CTR'], async (name) => { const algorithm = { name, iv: of(16), counter: of(16), length: 64 }; const wrapper = await raw(name, ['wrapKey', 'unwrapKey']); const wrapped = await subtle.wrapKey('jwk', await raw({ name: 'HMAC', hash: 'SHA-512' }, ['sign', 'verify']), wrapper, algorithm); const key = await subtle.unwrapKey('jwk', wrapped, wrapper, algorithm, { name: 'HMAC', hash: 'SHA-512' }, false, ['verify']); return [wrapped.byteLength, facts(key)] })`,
    `subtle.wrapKey('raw', await raw('AES-GCM', ['encrypt'], 16, false), await raw('AES-KW', ['wrapKey']), 'AES-KW')`,
    `subtle.wrapKey('raw', await raw('AES-GCM', ['encrypt'], 16), await raw('AES-KW', ['unwrapKey']), 'AES-KW')`,
    `subtle.encrypt('AES-KW', await raw('AES-KW', ['wrapKey']), of(16))`,
    `(async () => { const wrapper = await jwk(event.rsa.public, { name: 'RSA-OAEP', hash: 'SHA-256' }, ['wrapKey']); const unwrapper = await jwk(event.rsa.private, { name: 'RSA-OAEP', hash: 'SHA-256' }, ['unwrapKey']); const wrapped = await subtle.wrapKey('raw', await raw('AES-GCM', ['encrypt']), wrapper, { name: 'RSA-OAEP', label: of(4) }); return [hex(await subtle.exportKey('raw', await subtle.unwrapKey('raw', wrapped, unwrapper, { name: 'RSA-OAEP', label: of(4) }, 'AES-GCM', true, ['decrypt']))), await subtle.unwrapKey('raw', wrapped, unwrapper, 'RSA-OAEP', 'AES-GCM', true, ['decrypt']).catch((e) => e.name)] })()`,
  ],
  'keys that are imported and exported': [
    `all([['AES-GCM', 16], ['AES-GCM', 15], ['AES-CBC', 32], ['AES-KW', 33], ['AES-CTR', 0], ['nothing', 16]], async ([name, length]) => facts(await raw(name, name === 'AES-KW' ? ['wrapKey'] : ['encrypt'], length)))`,
    `all([[], ['sign'], ['encrypt', 'encrypt'], ['nothing'], 'encrypt', undefined, new Set(['decrypt', 'encrypt'])], async (usages) => facts(await raw('AES-GCM', usages, 16)))`,
    `all(['raw', 'jwk', 'spki', 'pkcs8', 'RAW', 'nothing'], async (format) => { const data = await subtle.exportKey(format, await raw('AES-GCM', ['encrypt', 'decrypt'])); return data instanceof ArrayBuffer ? hex(data) : data })`,
    `all(['raw', 'jwk'], async (format) => subtle.exportKey(format, await raw('AES-GCM', ['encrypt'], 16, false)))`,
    `all([{ kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA' }, { kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA', alg: 'A128GCM', ext: true, key_ops: ['encrypt'] }, { kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA', alg: 'A256GCM' }, { kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA', ext: false }, { kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA', key_ops: ['decrypt'] }, { kty: 'oct', k: 'AQIDBAUGBwgJCgsMDQ4PEA', use: 'sig' }, { kty: 'RSA', k: 'AQID' }, { kty: 'oct' }, { k: 'AQ' }, null, 'text', {}], async (key) => facts(await jwk(key, 'AES-GCM', ['encrypt'])))`,
    `all(['P-256', 'P-384', 'P-521'], async (namedCurve) => { const key = await jwk(event[namedCurve].public, { name: 'ECDSA', namedCurve }, ['verify']); const point = new Uint8Array(await subtle.exportKey('raw', key)); const compressed = point.slice(0, (point.length + 1) / 2); compressed[0] = 2 + (point.at(-1) & 1); const again = (bytes) => subtle.importKey('raw', bytes, { name: 'ECDSA', namedCurve }, true, ['verify']).then(async (made) => hex(await subtle.exportKey('spki', made)), (e) => e.name); const bad = point.slice(); bad[5] ^= 1; return [facts(key), hex(point), await again(point), await again(compressed), await again(bad), await again(point.slice(1)), await subtle.exportKey('jwk', key)] })`,
    `all(['P-256', 'P-384', 'P-521'], async (namedCurve) => { const key = await jwk(event[namedCurve].private, { name: 'ECDH', namedCurve }, ['deriveBits']); return [facts(key), hex(await subtle.exportKey('pkcs8', key)), await subtle.exportKey('jwk', key), await subtle.exportKey('spki', key).catch((e) => e.name), await subtle.exportKey('raw', key).catch((e) => e.name)] })`,
    `all([['P-256', 'P-384'], ['P-256', 'P-999'], ['P-256', undefined], ['rsa', 'P-256'], ['ed25519', 'P-256']], async ([key, namedCurve]) => facts(await jwk(event[key].public, { name: 'ECDSA', namedCurve }, ['verify'])))`,
    `all([[], ['sign'], ['verify', 'sign']], async (usages) => facts(await jwk(event['P-256'].public, { name: 'ECDSA', namedCurve: 'P-256' }, usages)))`,
    `all([[], ['verify']], async (usages) => facts(await jwk(event['P-256'].private, { name: 'ECDSA', namedCurve: 'P-256' }, usages)))`,
    `all([['RSASSA-PKCS1-v1_5', 'sign'], ['RSA-PSS', 'sign'], ['RSA-OAEP', 'decrypt']], async ([name, usage]) => all(${HASHES}, async (hash) => { const key = await jwk(event.rsa.private, { name, hash }, [usage]); return [facts(key), hex(await subtle.exportKey('pkcs8', key)), await subtle.exportKey('jwk', key), await subtle.exportKey('raw', key).catch((e) => e.name)] }))`,
    `all([{ alg: 'RS256' }, { alg: 'RS512' }, { alg: 'PS256' }, { use: 'sig' }, { use: 'enc' }, { n: '' }, { e: undefined }], async (members) => facts(await jwk({ ...event.rsa.public, ...members }, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, ['verify'])))`,
    `all([['ed25519', 'Ed25519', 'sign'], ['ed448', 'Ed448', 'sign'], ['x25519', 'X25519', 'deriveBits'], ['x448', 'X448', 'deriveBits'], ['ed25519', 'X25519', 'deriveBits']], async ([type, name, usage]) => { const secret = await jwk(event[type].private, name, [usage]); const open = await jwk(event[type].public, { name }, usage === 'sign' ? ['verify'] : []); return [facts(secret), facts(open), hex(await subtle.exportKey('raw', open)), hex(await subtle.exportKey('spki', open)), hex(await subtle.exportKey('pkcs8', secret)), await subtle.exportKey('jwk', secret)] })`,
  ],
  signatures: [
    `all(${HASHES}, async (hash) => hex(await subtle.sign('RSASSA-PKCS1-v1_5', await jwk(event.rsa.private, { name: 'RSASSA-PKCS1-v1_5', hash }, ['sign']), of(50))))`,
    `all([0, 20, 32, 64, 222, 223, -1, NaN, undefined], async (saltLength) => { const secret = await jwk(event.rsa.private, { name: 'RSA-PSS', hash: 'SHA-256' }, ['sign']); const open = await jwk(event.rsa.public, { name: 'RSA-PSS', hash: 'SHA-256' }, ['verify']); const signature = await subtle.sign({ name: 'RSA-PSS', saltLength }, secret, of(9)); return [await subtle.verify({ name: 'RSA-PSS', saltLength }, open, signature, of(9)), await subtle.verify({ name: 'RSA-PSS', saltLength: 31 }, open, signature, of(9))] })`,
    `all(['P-256', 'P-384', 'P-521'], async (namedCurve) => all([...${HASHES}, 'MD5', undefined], async (hash) => { const secret = await jwk(event[namedCurve].private, { name: 'ECDSA', namedCurve }, ['sign']); const open = await jwk(event[namedCurve].public, { name: 'ECDSA', namedCurve }, ['verify']); const signature = await subtle.sign({ name: 'ECDSA', hash }, secret, of(9)); return [signature.byteLength, await subtle.verify({ name: 'ECDSA', hash }, open, signature, of(9)), await subtle.verify({ name: 'ECDSA', hash }, open, signature, of(8)), await subtle.verify({ name: 'ECDSA', hash }, open, of(3), of(9))] }))`,
    `all([['ed25519', 'Ed25519'], ['ed448', 'Ed448']], async ([type, name]) => hex(await subtle.sign(name, await jwk(event[type].private, name, ['sign']), of(9))))`,
    `subtle.sign('RSASSA-PKCS1-v1_5', await jwk(event.rsa.private, { name: 'RSA-PSS', hash: 'SHA-256' }, ['sign']), of(9))`,
    `subtle.sign('HMAC', {}, of(9))`,
    `subtle.sign('HMAC', undefined, of(9))`,
  ],
  'encryption with RSA': [
    `all(${HASHES}, async (hash) => { const secret = await jwk(event.rsa.private, { name: 'RSA-OAEP', hash }, ['decrypt']); const open = await jwk(event.rsa.public, { name: 'RSA-OAEP', hash }, ['encrypt']); const sealed = await subtle.encrypt({ name: 'RSA-OAEP', label: of(5) }, open, of(20)); return [hex(await subtle.decrypt({ name: 'RSA-OAEP', label: of(5) }, secret, sealed)), await subtle.decrypt({ name: 'RSA-OAEP', label: of(4) }, secret, sealed).catch((e) => e.name), await subtle.decrypt('RSA-OAEP', secret, sealed).catch((e) => e.name), await subtle.encrypt('RSA-OAEP', open, of(300)).catch((e) => e.name)] })`,
  ],
  'key agreement': [
    `all(['P-256', 'P-384', 'P-521'], async (namedCurve) => { const algorithm = { name: 'ECDH', namedCurve }; const base = await jwk(event[namedCurve].private, algorithm, ['deriveBits', 'deriveKey']); const open = await jwk(event[namedCurve].public, algorithm, []); return [await all([null, undefined, 0, 8, 128, 256, 384, 521, 528, 536, 7], async (length) => hex(await subtle.deriveBits({ name: 'ECDH', public: open }, base, length))), facts(await subtle.deriveKey({ name: 'ECDH', public: open }, base, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])), hex(await subtle.exportKey('raw', await subtle.deriveKey({ name: 'ECDH', public: open }, base, { name: 'HMAC', hash: 'SHA-1', length: 160 }, true, ['sign'])))] })`,
    `all([['x25519', 'X25519'], ['x448', 'X448']], async ([type, name]) => { const base = await jwk(event[type].private, name, ['deriveBits']); const open = await jwk(event[type].public, name, []); return all([null, 0, 8, 128, 256, 448, 456], async (length) => hex(await subtle.deriveBits({ name, public: open }, base, length))) })`,
    `all(['P-256', 'P-384'], async (namedCurve) => { const base = await jwk(event['P-256'].private, { name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits']); return [await subtle.deriveBits({ name: 'ECDH', public: await jwk(event[namedCurve].public, { name: 'ECDH', namedCurve }, []) }, base, 128).then(hex, (e) => e.name), await subtle.deriveBits({ name: 'ECDH', public: base }, base, 128).then(hex, (e) => e.name), await subtle.deriveBits({ name: 'ECDH', public: {} }, base, 128).then(hex, (e) => e.name), await subtle.deriveBits('ECDH', base, 128).then(hex, (e) => e.name)] })`,
  ],
  'keys that are made': [
    `all([{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', namedCurve: 'P-521' }, { name: 'ECDSA', namedCurve: 'K-256' }, { name: 'ECDSA' }, 'Ed25519', { name: 'Ed448' }, { name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 1024, publicExponent: x('010001') }, { name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 1024, publicExponent: x('03') }, { name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 1024 }, { name: 'RSA-PSS', modulusLength: 1024, publicExponent: x('03') }, { name: 'RSA-PSS', hash: 'MD5', modulusLength: 1024, publicExponent: x('03') }], async (algorithm) => { const pair = await subtle.generateKey(algorithm, false, ['sign', 'verify']); return [facts(pair.privateKey), facts(pair.publicKey)] })`,
    `all([[], ['verify'], ['encrypt'], ['sign', 'deriveBits']], async (usages) => Object.keys(await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, usages)))`,
    `all([['ECDH', ['deriveBits']], ['ECDH', []], ['X25519', ['deriveKey']]], async ([name, usages]) => { const pair = await subtle.generateKey({ name, namedCurve: 'P-384' }, true, usages); return [facts(pair.privateKey), facts(pair.publicKey)] })`,
  ],
  'what newer versions have': [
    `all(['SHA3-256', 'SHA3-384', 'SHA3-512'], async (hash) => hex(await subtle.digest(hash, of(100))))`,
    `all(['raw-secret', 'jwk'], async (format) => { const key = await subtle.importKey('raw-secret', of(32), 'ChaCha20-Poly1305', true, ['encrypt', 'decrypt']); const algorithm = { name: 'ChaCha20-Poly1305', iv: of(12), additionalData: of(3) }; const sealed = await subtle.encrypt(algorithm, key, of(20)); const written = await subtle.exportKey(format, key); return [facts(key), hex(sealed), hex(await subtle.decrypt(algorithm, key, sealed)), written instanceof ArrayBuffer ? hex(written) : written] })`,
    `all([undefined, 64, 96, 128, 100], async (tagLength) => { const key = await subtle.importKey('raw-secret', of(16), 'AES-OCB', true, ['encrypt', 'decrypt']); const algorithm = { name: 'AES-OCB', iv: of(12), tagLength }; const sealed = await subtle.encrypt(algorithm, key, of(20)); return [facts(key), hex(sealed), hex(await subtle.decrypt(algorithm, key, sealed))] })`,
    `all(['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'], async (name) => { const pair = await subtle.generateKey(name, true, ['sign', 'verify']); const signature = await subtle.sign(name, pair.privateKey, of(9)); const again = await subtle.importKey('spki', await subtle.exportKey('spki', pair.publicKey), name, true, ['verify']); return [facts(pair.publicKey), signature.byteLength, await subtle.verify(name, again, signature, of(9)), await subtle.verify(name, again, signature, of(8)), Object.keys(await subtle.exportKey('jwk', pair.privateKey)).sort()] })`,
  ],
  'the objects themselves': [
    `[typeof CryptoKey, typeof SubtleCrypto, typeof Crypto, String(crypto), String(subtle), crypto.subtle === subtle, subtle instanceof SubtleCrypto, crypto instanceof Crypto, (await raw('AES-GCM', ['encrypt'])) instanceof CryptoKey]`,
    `[CryptoKey, SubtleCrypto, Crypto].map((Class) => { try { return new Class() } catch (e) { return e.name } })`,
    `[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint32Array, BigInt64Array, Float32Array, Float64Array].map((Class) => { try { return crypto.getRandomValues(new Class(4)).length } catch (e) { return [e.name, e.code, e instanceof DOMException] } })`,
    `[65536, 65537].map((length) => { try { return crypto.getRandomValues(new Uint8Array(length)).length } catch (e) { return [e.name, e.code] } })`,
    `[new DataView(new ArrayBuffer(4)), new ArrayBuffer(4)].map((value) => { try { return crypto.getRandomValues(value) } catch (e) { return e.name } })`,
    `(() => { const whole = new Uint8Array(40); crypto.getRandomValues(whole.subarray(10, 30)); return [whole.subarray(0, 10).every((n) => n === 0), whole.subarray(10, 30).some((n) => n !== 0), whole.subarray(30).every((n) => n === 0)] })()`,
    `/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())`,
    `Object.getOwnPropertyNames(SubtleCrypto.prototype).filter((name) => ['constructor', 'digest', 'encrypt', 'decrypt', 'sign', 'verify', 'deriveBits', 'deriveKey', 'generateKey', 'importKey', 'exportKey', 'wrapKey', 'unwrapKey'].includes(name)).sort()`,
  ],
}

describe.each(Object.entries(CASES))('as Node: %s', (_, expressions) => {
  it.each(expressions)('%s', async (expression) => {
    expect(await inSandbox(expression, keys)).toEqual(await inNode(expression, keys))
  })
})

it('what the sandbox encrypted and signed Node opens, and the other way round', async () => {
  const { subtle } = webcrypto
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-512' }
  const own = await inSandbox(
    `(async () => { const pair = await subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-512', modulusLength: 2048, publicExponent: x('010001') }, true, ['sign', 'verify']); return [await subtle.exportKey('jwk', pair.publicKey), hex(await subtle.sign({ name: 'RSA-PSS', saltLength: 17 }, pair.privateKey, of(9)))] })()`,
    {},
  )
  const [publicKey, signature] = (own as { value: [webcrypto.JsonWebKey, string] }).value
  const key = await subtle.importKey('jwk', publicKey, algorithm, false, ['verify'])
  const data = new Uint8Array(9).map((_, i) => i * 7 + 1)
  const verify = (saltLength: number) =>
    subtle.verify({ name: 'RSA-PSS', saltLength }, key, Buffer.from(signature, 'hex'), data)
  expect([await verify(17), await verify(18)]).toEqual([true, false])
})
