// Selects what is in this folder from a checkout of Wycheproof: node select.mjs <checkout>
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** File, and how many tests of each kind (flags and result) are kept. */
const FILES = {
  aes_gcm: 4,
  aes_cbc_pkcs5: 4,
  aes_wrap: 4,
  hmac_sha1: 3,
  hmac_sha256: 3,
  hmac_sha384: 3,
  hmac_sha512: 3,
  hkdf_sha1: 6,
  hkdf_sha256: 6,
  hkdf_sha384: 6,
  hkdf_sha512: 6,
  pbkdf2_hmacsha1: 4,
  pbkdf2_hmacsha256: 4,
  pbkdf2_hmacsha384: 4,
  pbkdf2_hmacsha512: 4,
  rsa_oaep_2048_sha1_mgf1sha1: 4,
  rsa_oaep_2048_sha256_mgf1sha256: 4,
  rsa_oaep_3072_sha512_mgf1sha512: 4,
  rsa_pss_2048_sha256_mgf1_0: 3,
  rsa_pss_2048_sha256_mgf1_32: 3,
  rsa_pss_4096_sha512_mgf1_64: 2,
  rsa_signature_2048_sha256: 3,
  rsa_signature_2048_sha384: 2,
  rsa_signature_4096_sha512: 2,
  ecdsa_secp256r1_sha256_p1363: 3,
  ecdsa_secp384r1_sha384_p1363: 3,
  ecdsa_secp521r1_sha512_p1363: 3,
  ecdh_secp256r1_webcrypto: 3,
  ecdh_secp384r1_webcrypto: 3,
  ecdh_secp521r1_webcrypto: 3,
  ed25519: 4,
  ed448: 4,
  x25519_jwk: 4,
  x448_jwk: 4,
}
const GROUP_FIELDS = ['type', 'ivSize', 'keySize', 'tagSize', 'sha', 'mgfSha', 'sLen', 'curve']
const KEY_FIELDS = ['publicKeyDer', 'privateKeyPkcs8']

for (const [name, perKind] of Object.entries(FILES)) {
  const text = await readFile(join(process.argv[2], `testvectors_v1/${name}_test.json`), 'utf8')
  const { testGroups } = JSON.parse(text)
  const seen = new Map()
  const isNew = ({ flags, result }, { keySize }) => {
    const kind = `${flags} ${result} ${keySize}`
    const count = seen.get(kind) ?? 0
    seen.set(kind, count + 1)
    return count < perKind
  }
  const groups = testGroups.map((group) => ({
    ...Object.fromEntries(
      [...GROUP_FIELDS, ...KEY_FIELDS]
        .filter((key) => key in group)
        .map((key) => [key, group[key]]),
    ),
    ...(group.publicKey?.curve && { curve: group.publicKey.curve }),
    tests: group.tests.filter((test) => isNew(test, group)).map(({ comment, ...test }) => test),
  }))
  const kept = groups.filter(({ tests }) => tests.length > 0)
  const lines = kept.map((group) => `${JSON.stringify(group)}\n`).join('')
  await writeFile(new URL(`${name}.jsonl`, import.meta.url), lines)
}
