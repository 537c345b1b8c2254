import type { SecretPlan } from '@nexus/event-bus/conformance'
import { type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import {
  createCertificates,
  createNatsAccount,
  type ServerProcess,
  startNats,
} from '@nexus/test-kit'

const SECRET = 'hunter2-very-secret'
const open = (options: NatsStoreOptions) => natsStore({ requestTimeoutMs: 1_000, ...options })
const kills = (server: ServerProcess) => () => server.kill()

const password: SecretPlan = {
  name: 'the password of a user',
  start: async () => {
    const server = await startNats(['--user', 'nexus', '--pass', SECRET])
    return {
      secrets: [SECRET],
      openStore: () => open({ servers: [`nats://nexus:${SECRET}@${server.address}`] }),
      openRefused: () => open({ servers: [`nats://nexus:not-${SECRET}@${server.address}`] }),
      kill: kills(server),
      stop: () => server.stop(),
    }
  },
}

const token: SecretPlan = {
  name: 'a token',
  start: async () => {
    const server = await startNats(['--auth', SECRET])
    const servers = [server.address]
    return {
      secrets: [SECRET],
      openStore: () => open({ servers, token: SECRET }),
      openRefused: () => open({ servers, token: `not-${SECRET}` }),
      kill: kills(server),
      stop: () => server.stop(),
    }
  },
}

const credentials: SecretPlan = {
  name: 'the JWT and the seed of a credentials file',
  start: async () => {
    const account = await createNatsAccount()
    const server = await startNats(account.settings)
    const lines = account.credentials.split('\n')
    const secrets = lines.filter((line) => /^[A-Za-z0-9._-]{40,}$/.test(line))
    if (secrets.length !== 2) throw new Error(`expected a JWT and a seed, got ${secrets.length}`)
    return {
      secrets,
      openStore: () => open({ servers: [server.address], credentials: account.credentials }),
      openRefused: () => open({ servers: [server.address] }),
      kill: kills(server),
      stop: async () => {
        await server.stop()
        account.remove()
      },
    }
  },
}

const privateKey: SecretPlan = {
  name: 'the private key of a client, and a password, with TLS',
  start: async () => {
    const certificates = await createCertificates()
    const { ca, client, files } = certificates
    const server = await startNats([
      ...['--tlsverify', '--tlscert', files.cert, '--tlskey', files.key],
      ...['--tlscacert', files.ca, '--user', 'nexus', '--pass', SECRET],
    ])
    const servers = [`tls://nexus:${SECRET}@${server.address}`]
    return {
      secrets: [SECRET, client.key.split('\n')[1]!],
      openStore: () => open({ servers, tls: { ca, ...client } }),
      openRefused: () => open({ servers, tls: { ca } }),
      kill: kills(server),
      stop: async () => {
        await server.stop()
        certificates.remove()
      },
    }
  },
}

/** What the tests of the store must never show. */
export const secretPlans: readonly SecretPlan[] = [password, token, credentials, privateKey]
