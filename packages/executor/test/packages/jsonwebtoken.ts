import jwt from 'jsonwebtoken'

export default ({ secret, pkcs8, spki }: { secret: string; pkcs8: string; spki: string }) => {
  const token = jwt.sign({ role: 'admin', iat: 1_700_000_000 }, secret, {
    algorithm: 'HS512',
    issuer: 'me',
  })
  const es = jwt.sign({ iat: 1 }, pkcs8, { algorithm: 'ES256' })
  return [
    token,
    jwt.verify(token, secret),
    jwt.verify(es, spki, { algorithms: ['ES256'] }),
    failure(() => jwt.verify(`${token.slice(0, -3)}AAA`, secret)),
    failure(() => jwt.verify(jwt.sign({ exp: 5 }, secret), secret)),
    jwt.decode(token, { complete: true })?.header,
  ]
}

function failure(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    const { name, message } = error as Error
    return [name, message]
  }
}
