import { createVerify, generateKeyPairSync } from 'node:crypto'
import { JWT, OAuth2Client } from 'google-auth-library'
export default async () => {
  // As text: Node 20 may stop for ever when it writes a key that it has just generated.
  const { privateKey: key, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const client = new JWT({ email: 'a@b.example', key })
  const headers = await client.getRequestHeaders('https://api.example/')
  const token = headers.get('authorization').slice('Bearer '.length)
  const [head, body, signature] = token.split('.')
  const { iat, exp, ...claims } = JSON.parse(Buffer.from(body, 'base64url').toString())
  const isSigned = createVerify('sha256')
    .update(`${head}.${body}`)
    .verify(publicKey, signature, 'base64url')
  const login = new OAuth2Client('id', 'secret', 'https://r.example')
  return [
    isSigned,
    claims,
    exp - iat,
    login.generateAuthUrl({ scope: ['a', 'b'], access_type: 'offline' }),
  ]
}
