// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import crypto, { X509Certificate } from 'node:crypto'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as any

/** Of an authority that was made for this test, good for a hundred years. */
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBvjCCAWWgAwIBAgIUAV9YzMc+dDlnX2aN9/tW4XFrFB0wCgYIKoZIzj0EAwIw
NDELMAkGA1UEBhMCREUxEzARBgNVBAoMCk5leHVzIFRlc3QxEDAOBgNVBAMMB1Rl
c3QgQ0EwIBcNMjYxMTI4MjIwNzIxWhgPMjEyNjExMDQyMjA3MjFaMDQxCzAJBgNV
BAYTAkRFMRMwEQYDVQQKDApOZXh1cyBUZXN0MRAwDgYDVQQDDAdUZXN0IENBMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9gxcw7aJQpdzbpB5uOC4hVjCm1h1ralR
PEwiEzN2+uLoGUni9+AnfIDpJQ+uZXdkF8AaRD9xTE+A0B9ExE5DI6NTMFEwHQYD
VR0OBBYEFEMA6zFuaW7Pe0pI26aD9kEsLQQrMB8GA1UdIwQYMBaAFEMA6zFuaW7P
e0pI26aD9kEsLQQrMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIg
R8jLQ559k/caTBhv7/N9SWHbX7nKKeKfwxsGiapnrKoCIHOci2K0ZeNjVrdm3TMJ
lFnyreBs7rNqNXNiauaJt+0a
-----END CERTIFICATE-----`
const SERVER = `-----BEGIN CERTIFICATE-----
MIICbDCCAhGgAwIBAgICEmcwCgYIKoZIzj0EAwIwNDELMAkGA1UEBhMCREUxEzAR
BgNVBAoMCk5leHVzIFRlc3QxEDAOBgNVBAMMB1Rlc3QgQ0EwIBcNMjYxMTI4MjIw
ODAzWhgPMjEyNjExMDQyMjA4MDNaMEcxCzAJBgNVBAYTAkRFMQ4wDAYDVQQHDAVL
w7ZsbjEUMBIGA1UECgwLTmV4dXMsIEluYy4xEjAQBgNVBAMMCWEuZXhhbXBsZTBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABB59gmFoLRBTTNmGDZNoHwlH4puWcyZy
m7TLoklTJ+ciqZRUU/lFweIfgWsdw8ae0O3iA+Lz9v/lgz0/IO28lWOjgf0wgfow
WgYDVR0RBFMwUYIJYS5leGFtcGxlggsqLmIuZXhhbXBsZYcEfwAAAYcQAAAAAAAA
AAAAAAAAAAAAAYELeEBhLmV4YW1wbGWGEmh0dHBzOi8vYS5leGFtcGxlLzAdBgNV
HSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwMgYIKwYBBQUHAQEEJjAkMCIGCCsG
AQUFBzABhhZodHRwOi8vb2NzcC5hLmV4YW1wbGUvMAkGA1UdEwQCMAAwHQYDVR0O
BBYEFPdInc4zPFm1vY8T8Fc327Hd/WkiMB8GA1UdIwQYMBaAFEMA6zFuaW7Pe0pI
26aD9kEsLQQrMAoGCCqGSM49BAMCA0kAMEYCIQD3x1U9HVlRB+MJt63BGJYV+5kV
apBvxmRDDg8hLqhhOAIhAJ5h+UIQb/2uS4PZEh/rvLa2++A+BWS5Wb4/nBLU5rma
-----END CERTIFICATE-----`
const SERVER_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQRTS+fGqxYvcRi0Q
9CPnJNhapnIz09/3McEmRH3cL/KhRANCAAQefYJhaC0QU0zZhg2TaB8JR+KblnMm
cpu0y6JJUyfnIqmUVFP5RcHiH4FrHcPGntDt4gPi8/b/5YM9PyDtvJVj
-----END PRIVATE KEY-----`

// Read while the module loads, for every call.
const server = new X509Certificate(SERVER)
const authority = new X509Certificate(Buffer.from(AUTHORITY))
const own = crypto.createPrivateKey(SERVER_KEY)

/** Where versions of Node say it differently. */
const codeOf = (run: () => unknown) => {
  try {
    return run()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

const cases: (() => unknown)[] = [
  () => [server.subject, server.issuer, server.subjectAltName, server.infoAccess, server.keyUsage],
  () => [authority.subject, authority.subjectAltName, authority.infoAccess, authority.keyUsage],
  () => [server.validFrom, server.validTo, server.serialNumber, server.ca, authority.ca],
  () => [server.fingerprint, server.fingerprint256, server.fingerprint512],
  () => [server.raw, server.raw instanceof Buffer, server.issuerCertificate],
  () => [String(server), server.toString() === authority.toString(), JSON.stringify({ server })],
  () => [new X509Certificate(server.raw).fingerprint256 === server.fingerprint256],
  () => server.toLegacyObject(),
  () => authority.toLegacyObject(),
  () => Object.getPrototypeOf(server.toLegacyObject().subject),
  () => [
    server.publicKey.type,
    [server.publicKey, server.publicKey].every((key, _, [first]) => key === first),
    server.publicKey.equals(crypto.createPublicKey(any(own))),
    server.publicKey.export({ format: 'jwk' }),
  ],
  () =>
    ['a.example', 'A.example', 'x.b.example', 'x.y.b.example', 'b.example', '', '.a.example'].map(
      (name) => server.checkHost(name),
    ),
  () =>
    [{ wildcards: false }, { subject: 'always' }, { subject: 'never' }, {}].map((options) =>
      server.checkHost('x.b.example', any(options)),
    ),
  () => server.checkHost('a.example', any({ subject: 'sometimes' })),
  () => server.checkHost('a.example', any(5)),
  () => server.checkHost(any(5)),
  () => ['x@a.example', 'X@a.example', 'y@a.example'].map((mail) => server.checkEmail(mail)),
  () => server.checkEmail(any(undefined)),
  () => ['127.0.0.1', '::1', '127.0.0.2', 'none'].map((ip) => server.checkIP(ip)),
  () => server.checkIP(any({})),
  () => [
    server.checkIssued(authority),
    authority.checkIssued(server),
    authority.checkIssued(authority),
  ],
  () => server.checkIssued(any(SERVER)),
  () => [server.checkPrivateKey(own), authority.checkPrivateKey(own)],
  () => codeOf(() => server.checkPrivateKey(server.publicKey)),
  () => server.checkPrivateKey(any('text')),
  () => [
    server.verify(authority.publicKey),
    authority.verify(authority.publicKey),
    server.verify(server.publicKey),
  ],
  () => codeOf(() => server.verify(own)),
  () => server.verify(any(undefined)),
  () => new X509Certificate('no certificate'),
  () => new X509Certificate(Buffer.alloc(10)),
  () => new X509Certificate(any(5)),
  () => crypto.createPublicKey(SERVER).equals(server.publicKey),
  () => {
    const signature = crypto.sign('sha256', Buffer.from('text'), own)
    return crypto.createVerify('sha256').update('text').verify(SERVER, signature)
  },

  () =>
    [0n, 1n, 2n, 13n, 15n, 2n ** 127n - 1n, 2n ** 128n].map((number) =>
      crypto.checkPrimeSync(number),
    ),
  () => crypto.checkPrimeSync(Buffer.from([1, 0, 1]), { checks: 10 }),
  () => crypto.checkPrimeSync(Buffer.alloc(0)),
  () =>
    new Promise((resolve) =>
      crypto.checkPrime(any(7n), (error, found) => resolve([error ?? null, found])),
    ),
  () => crypto.checkPrimeSync(-3n),
  () => crypto.checkPrimeSync(any('13')),
  () => crypto.checkPrimeSync(13n, { checks: -1 }),
  () => crypto.checkPrimeSync(13n, any(null)),
  () => any(crypto.checkPrime)(13n),

  () => [64, 65, 512].map((length) => crypto.generateKeySync('hmac', { length }).symmetricKeySize),
  () =>
    [128, 192, 256].map(
      (length: any) => crypto.generateKeySync('aes', { length }).symmetricKeySize,
    ),
  () =>
    new Promise((resolve) =>
      crypto.generateKey('aes', { length: 128 }, (error, key) =>
        resolve([error ?? null, key?.symmetricKeySize]),
      ),
    ),
  () => crypto.generateKeySync('hmac', { length: 7 }),
  () => crypto.generateKeySync('hmac', any({})),
  () => crypto.generateKeySync('aes', { length: any(100) }),
  () => crypto.generateKeySync(any('nothing'), { length: 128 }),
  () => any(crypto.generateKeySync)('aes'),
  () => any(crypto.generateKey)('aes', { length: 128 }),
  () => crypto.generateKeyPairSync(any('nothing'), any({})),

  () => {
    const { OPENSSL_VERSION_NUMBER, defaultCipherList, defaultCoreCipherList, ...numbers } = any(
      crypto.constants,
    )
    return numbers
  },
  () => [crypto.getFips(), crypto.setFips(false), Object.keys(crypto.secureHeapUsed())],
]

export default () => outcomes(cases)
