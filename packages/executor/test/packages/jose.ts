import {
  base64url,
  CompactEncrypt,
  compactDecrypt,
  decodeJwt,
  generateKeyPair,
  importPKCS8,
  importSPKI,
  jwtVerify,
  SignJWT,
} from 'jose'

interface Keys {
  secret: string
  pkcs8: string
  spki: string
  token: string
}

export default async ({ secret, pkcs8, spki, token }: Keys) => {
  const key = new TextEncoder().encode(secret)
  const signed = await new SignJWT({ role: 'admin' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt(1_700_000_000)
    .setSubject('me')
    .sign(key)
  const { payload } = await jwtVerify(signed, key)
  const tampered = await jwtVerify(`${signed.slice(0, -4)}AAAA`, key).catch((error) => error.code)
  const es = await new SignJWT({ a: 1 })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(await importPKCS8(pkcs8, 'ES256'))
  const verified = await jwtVerify(es, await importSPKI(spki, 'ES256'))
  const given = await jwtVerify(token, await importSPKI(spki, 'ES256'))
  const pair = await generateKeyPair('ES256')
  const own = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(pair.privateKey)
  const sealed = await new CompactEncrypt(new TextEncoder().encode('text'))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(new Uint8Array(32))
  const opened = await compactDecrypt(sealed, new Uint8Array(32))
  return {
    signed,
    payload,
    tampered,
    verified: verified.payload,
    given: given.payload,
    own: (await jwtVerify(own, pair.publicKey)).protectedHeader,
    opened: new TextDecoder().decode(opened.plaintext),
    decoded: decodeJwt(signed),
    url: base64url.encode('ü?'),
  }
}
