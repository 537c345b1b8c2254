import * as jose from 'jose'

const SIGNATURES =
  'HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
const KEY_ALGORITHMS =
  'dir A128KW A192KW A256KW A128GCMKW A192GCMKW A256GCMKW RSA-OAEP RSA-OAEP-256 RSA-OAEP-384 RSA-OAEP-512 ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW PBES2-HS256+A128KW PBES2-HS384+A192KW PBES2-HS512+A256KW'.split(
    ' ',
  )
const ENCRYPTIONS = 'A128CBC-HS256 A192CBC-HS384 A256CBC-HS512 A128GCM A192GCM A256GCM'.split(' ')

type Keys = { own: CryptoKey | Uint8Array; other: CryptoKey | Uint8Array }

async function signingKeys(alg: string): Promise<Keys> {
  if (alg.startsWith('HS')) {
    const key = await jose.generateSecret(alg, { extractable: true })
    return { own: key, other: key }
  }
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
  return { own: privateKey, other: publicKey }
}

async function encryptionKeys(alg: string, enc: string): Promise<Keys> {
  if (alg.startsWith('PBES2')) {
    const password = new TextEncoder().encode('correct horse battery staple')
    return { own: password, other: password }
  }
  if (alg === 'dir' || alg.endsWith('GCMKW') || /^A\d+KW$/.test(alg)) {
    const key = await jose.generateSecret(alg === 'dir' ? enc : alg, { extractable: true })
    return { own: key, other: key }
  }
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
  return { own: privateKey, other: publicKey }
}

async function signed(alg: string) {
  const { own, other } = await signingKeys(alg)
  const token = await new jose.SignJWT({ alg }).setProtectedHeader({ alg }).sign(own)
  const { payload, protectedHeader } = await jose.jwtVerify(token, other)
  const [head, body, signature] = token.split('.') as [string, string, string]
  const swapped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
  const tampered = await jose
    .jwtVerify(`${head}.${body}.${swapped}`, other)
    .catch((error) => error.code)
  const again = await jose.importJWK(await jose.exportJWK(other), alg)
  return [payload, protectedHeader, tampered, (await jose.jwtVerify(token, again)).payload]
}

async function encrypted(alg: string, enc: string) {
  const { own, other } = await encryptionKeys(alg, enc)
  const message = new TextEncoder().encode(`${alg} ${enc}`)
  const sealed = await new jose.CompactEncrypt(message)
    .setProtectedHeader({ alg, enc })
    .encrypt(other)
  const options = { keyManagementAlgorithms: [alg] }
  const { plaintext, protectedHeader } = await jose.compactDecrypt(sealed, own, options)
  const parts = sealed.split('.')
  const tag = parts[4]!
  parts[4] = `${tag[0] === 'A' ? 'B' : 'A'}${tag.slice(1)}`
  const tampered = await jose
    .compactDecrypt(parts.join('.'), own, options)
    .catch((error) => error.code)
  return [new TextDecoder().decode(plaintext), protectedHeader.enc, tampered]
}

/** What each algorithm gives that jose lists, or how it is refused. */
export default async () => {
  const results: Record<string, unknown> = {}
  const note = async (name: string, run: () => Promise<unknown>) => {
    results[name] = await run().catch((error) => `${error.name}: ${error.code}`)
  }
  for (const alg of SIGNATURES) await note(alg, () => signed(alg))
  for (const alg of KEY_ALGORITHMS) await note(alg, () => encrypted(alg, 'A256GCM'))
  for (const enc of ENCRYPTIONS) await note(enc, () => encrypted('dir', enc))
  return results
}
