import C from 'crypto-js'
export default () => [
  C.SHA256('a').toString(),
  C.HmacSHA1('a', 'k').toString(C.enc.Base64),
  C.AES.decrypt(C.AES.encrypt('msg', 'pw').toString(), 'pw').toString(C.enc.Utf8),
  C.PBKDF2('p', 's', { keySize: 4, iterations: 10 }).toString(),
  C.lib.WordArray.random(8).sigBytes,
]
