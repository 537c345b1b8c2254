/** A group of tests of Wycheproof; which fields a test has depends on `type`. */
export interface TestGroup {
  type: string
  sha?: string
  mgfSha?: string
  sLen?: number
  curve?: string
  publicKeyDer?: string
  privateKeyPkcs8?: string
  tests: (Record<string, unknown> & { tcId: number; result: string })[]
}

/** What came out of one test: whether the operation succeeded and gave what it should. */
export type Outcomes = [tcId: number, passed: boolean][]

/** The handler: runs the tests of a group with `crypto.subtle`. The sandbox gets its source. */
export async function runGroup(group: TestGroup): Promise<Outcomes> {
  type Bytes = Uint8Array<ArrayBuffer>
  const { subtle } = crypto
  const bytes = (hex: unknown) =>
    (Uint8Array as unknown as { fromHex(text: string): Bytes }).fromHex(String(hex))
  const hex = (data: ArrayBuffer) =>
    (new Uint8Array(data) as unknown as { toHex(): string }).toHex()
  const hash = group.sha ?? ''
  const CURVES: Record<string, string> = {
    secp256r1: 'P-256',
    secp384r1: 'P-384',
    secp521r1: 'P-521',
    edwards25519: 'Ed25519',
    edwards448: 'Ed448',
  }
  const namedCurve = CURVES[group.curve ?? ''] ?? group.curve ?? ''
  const verifying = (algorithm: RsaHashedImportParams | EcKeyImportParams | string) =>
    subtle.importKey('spki', bytes(group.publicKeyDer), algorithm, false, ['verify'])

  type Test = TestGroup['tests'][number]
  const runners: Record<string, (test: Test) => Promise<boolean>> = {
    async AeadTest(test) {
      const key = await subtle.importKey('raw', bytes(test.key), 'AES-GCM', false, [
        'encrypt',
        'decrypt',
      ])
      const tagLength = String(test.tag).length * 4
      const algorithm = {
        name: 'AES-GCM',
        iv: bytes(test.iv),
        additionalData: bytes(test.aad),
        tagLength,
      }
      const sealed = `${test.ct}${test.tag}`
      if (hex(await subtle.decrypt(algorithm, key, bytes(sealed))) !== test.msg) return false
      return hex(await subtle.encrypt(algorithm, key, bytes(test.msg))) === sealed
    },
    async IndCpaTest(test) {
      const key = await subtle.importKey('raw', bytes(test.key), 'AES-CBC', false, [
        'encrypt',
        'decrypt',
      ])
      const algorithm = { name: 'AES-CBC', iv: bytes(test.iv) }
      if (hex(await subtle.decrypt(algorithm, key, bytes(test.ct))) !== test.msg) return false
      return hex(await subtle.encrypt(algorithm, key, bytes(test.msg))) === test.ct
    },
    async KeywrapTest(test) {
      const wrapper = await subtle.importKey('raw', bytes(test.key), 'AES-KW', false, [
        'wrapKey',
        'unwrapKey',
      ])
      const inner = { name: 'HMAC', hash: 'SHA-256' }
      const key = await subtle.unwrapKey('raw', bytes(test.ct), wrapper, 'AES-KW', inner, true, [
        'sign',
      ])
      if (hex(await subtle.exportKey('raw', key)) !== test.msg) return false
      return hex(await subtle.wrapKey('raw', key, wrapper, 'AES-KW')) === test.ct
    },
    async MacTest(test) {
      const key = await subtle.importKey('raw', bytes(test.key), { name: 'HMAC', hash }, false, [
        'sign',
        'verify',
      ])
      const tag = hex(await subtle.sign('HMAC', key, bytes(test.msg)))
      const isWhole = tag.length === String(test.tag).length
      if (isWhole && !(await subtle.verify('HMAC', key, bytes(test.tag), bytes(test.msg))))
        return false
      return tag.startsWith(String(test.tag))
    },
    async HkdfTest(test) {
      const key = await subtle.importKey('raw', bytes(test.ikm), 'HKDF', false, ['deriveBits'])
      const algorithm = { name: 'HKDF', hash, salt: bytes(test.salt), info: bytes(test.info) }
      return hex(await subtle.deriveBits(algorithm, key, Number(test.size) * 8)) === test.okm
    },
    async PbkdfTest(test) {
      const key = await subtle.importKey('raw', bytes(test.password), 'PBKDF2', false, [
        'deriveBits',
      ])
      const iterations = Number(test.iterationCount)
      const algorithm = { name: 'PBKDF2', hash, salt: bytes(test.salt), iterations }
      return hex(await subtle.deriveBits(algorithm, key, Number(test.dkLen) * 8)) === test.dk
    },
    async RsaesOaepDecrypt(test) {
      const algorithm = { name: 'RSA-OAEP', hash }
      const key = await subtle.importKey('pkcs8', bytes(group.privateKeyPkcs8), algorithm, false, [
        'decrypt',
      ])
      const opened = await subtle.decrypt(
        { name: 'RSA-OAEP', label: bytes(test.label) },
        key,
        bytes(test.ct),
      )
      return hex(opened) === test.msg
    },
    async RsassaPssVerify(test) {
      const key = await verifying({ name: 'RSA-PSS', hash })
      const algorithm = { name: 'RSA-PSS', saltLength: group.sLen! }
      return subtle.verify(algorithm, key, bytes(test.sig), bytes(test.msg))
    },
    async RsassaPkcs1Verify(test) {
      const key = await verifying({ name: 'RSASSA-PKCS1-v1_5', hash })
      return subtle.verify('RSASSA-PKCS1-v1_5', key, bytes(test.sig), bytes(test.msg))
    },
    async EcdsaP1363Verify(test) {
      const key = await verifying({ name: 'ECDSA', namedCurve })
      return subtle.verify({ name: 'ECDSA', hash }, key, bytes(test.sig), bytes(test.msg))
    },
    async EddsaVerify(test) {
      const key = await verifying(namedCurve)
      return subtle.verify(namedCurve, key, bytes(test.sig), bytes(test.msg))
    },
    async EcdhWebcryptoTest(test) {
      const algorithm = { name: 'ECDH', namedCurve }
      const base = await subtle.importKey('jwk', test.private as JsonWebKey, algorithm, false, [
        'deriveBits',
      ])
      const other = await subtle.importKey('jwk', test.public as JsonWebKey, algorithm, false, [])
      const bits = String(test.shared).length * 4
      const derived = hex(
        await subtle.deriveBits({ name: 'ECDH', public: other }, base, null as never),
      )
      return derived.startsWith(String(test.shared)) && bits > 0
    },
    async XdhJwkComp(test) {
      const name = String((test.private as JsonWebKey).crv)
      const base = await subtle.importKey('jwk', test.private as JsonWebKey, name, false, [
        'deriveBits',
      ])
      const other = await subtle.importKey('jwk', test.public as JsonWebKey, name, false, [])
      return (
        hex(await subtle.deriveBits({ name, public: other }, base, null as never)) === test.shared
      )
    },
  }
  const outcomes: Outcomes = []
  for (const test of group.tests) {
    let passed: boolean
    try {
      passed = await runners[group.type]!(test)
    } catch (error) {
      if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error
      passed = false
    }
    outcomes.push([test.tcId, passed])
  }
  return outcomes
}
