import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'

/** An authority, and what it signed for a server on 127.0.0.1 and for a client; PEM texts and their files. */
export interface TestCertificates {
  ca: string
  client: { cert: string; key: string }
  files: { ca: string; cert: string; key: string }
  remove(): void
}

/** Makes certificates that only this test trusts. */
export async function createCertificates(): Promise<TestCertificates> {
  const shared = { keyType: 'ec', algorithm: 'sha256' } as const
  const authority = await generate([{ name: 'commonName', value: 'test authority' }], {
    ...shared,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
    ],
  })
  const signed = (name: string) =>
    generate([{ name: 'commonName', value: name }], {
      ...shared,
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    })
  const server = await signed('server')
  const client = await signed('client')
  const directory = mkdtempSync(join(tmpdir(), 'nexus-test-tls-'))
  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  return {
    ca: authority.cert,
    client: { cert: client.cert, key: client.private },
    files: {
      ca: file('ca.pem', authority.cert),
      cert: file('cert.pem', server.cert),
      key: file('key.pem', server.private),
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
