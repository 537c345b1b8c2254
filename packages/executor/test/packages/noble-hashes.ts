import { blake3 } from '@noble/hashes/blake3.js'
import { hmac } from '@noble/hashes/hmac.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export default (text: string) => {
  const bytes = utf8ToBytes(text)
  return [
    sha256(bytes),
    sha512(bytes),
    keccak_256(bytes),
    blake3(bytes),
    hmac(sha256, utf8ToBytes('key'), bytes),
    pbkdf2(sha256, bytes, utf8ToBytes('salt'), { c: 5, dkLen: 20 }),
  ].map(bytesToHex)
}
