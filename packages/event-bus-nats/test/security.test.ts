import { EventBus } from '@nexus/event-bus'
import { everythingShown, shownText } from '@nexus/event-bus/conformance'
import { NatsCacheTier, type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import {
  createCertificates,
  createNatsAccount,
  hasNats,
  type ServerProcess,
  startNats,
  untilTestEnds,
} from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

const CHECK = 'check user and password in `servers`, `token` or `credentials`'
const secret = 'hunter2-very-secret'

const told = (options: NatsStoreOptions, server: ServerProcess): Promise<string> =>
  everythingShown(
    () => natsStore({ requestTimeoutMs: 1_000, ...options }),
    () => server.kill(),
  )

const refusal = (options: NatsStoreOptions): Promise<unknown> =>
  EventBus.open({ store: natsStore({ requestTimeoutMs: 1_000, ...options }) }).then(
    () => expect.unreachable('the server let it in'),
    (error: unknown) => error,
  )

describe.skipIf(!hasNats())('a bus on a NATS server that asks who is there', () => {
  it('takes a user and a password, and shows them nowhere', async () => {
    const server = await untilTestEnds(startNats(['--user', 'nexus', '--pass', secret]))
    const wrong = await refusal({ servers: [`nats://nexus:not-${secret}@${server.address}`] })
    expect(wrong).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(String(wrong)).toContain(CHECK)
    expect(shownText(wrong)).not.toContain(secret)
    const shown = await told({ servers: [`nats://nexus:${secret}@${server.address}`] }, server)
    expect(shown).not.toContain(secret)
  })

  it('takes a token, and shows it nowhere', async () => {
    const server = await untilTestEnds(startNats(['--auth', secret]))
    const servers = [server.address]
    const wrong = await refusal({ servers, token: `not-${secret}` })
    expect(wrong).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(String(wrong)).toContain(CHECK)
    expect(shownText(wrong)).not.toContain(secret)
    expect(await told({ servers, token: secret }, server)).not.toContain(secret)
  })

  it('takes a credentials file, and shows neither its JWT nor its seed', async () => {
    const account = await untilTestEnds(createNatsAccount())
    const server = await untilTestEnds(startNats(account.settings))
    const { credentials } = account
    const servers = [server.address]
    expect(await refusal({ servers })).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const shown = await told({ servers, credentials }, server)
    const secrets = credentials.split('\n').filter((line) => /^[A-Za-z0-9._-]{40,}$/.test(line))
    expect(secrets).toHaveLength(2)
    for (const line of secrets) expect(shown).not.toContain(line)
  })
})

describe.skipIf(!hasNats())('a bus on a NATS server with TLS', () => {
  async function start(...settings: string[]) {
    const certificates = await untilTestEnds(createCertificates())
    const { ca, cert, key } = certificates.files
    const files = ['--tls', '--tlscert', cert, '--tlskey', key, '--tlscacert', ca]
    const server = await untilTestEnds(
      startNats([...files, '--user', 'nexus', '--pass', secret, ...settings]),
    )
    const servers = [`tls://nexus:${secret}@${server.address}`]
    return { server, servers, certificates }
  }

  it('trusts the authority it is given, and no other', async () => {
    const { server, servers, certificates } = await start()
    const untrusted = await refusal({ servers })
    expect(untrusted).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(shownText(untrusted)).not.toContain(secret)
    const tls = { ca: certificates.ca }
    const tier = new NatsCacheTier({ servers, tls })
    await tier.put('key', new Uint8Array([1]))
    expect(await tier.get('key')).toHaveLength(1)
    await tier.close()
    expect(await told({ servers, tls }, server)).not.toContain(secret)
  })

  it('shows a certificate of its own where the server asks for one', async () => {
    const { server, servers, certificates } = await start('--tlsverify')
    const { ca, client } = certificates
    expect(await refusal({ servers, tls: { ca } })).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const shown = await told({ servers, tls: { ca, ...client } }, server)
    expect(shown).not.toContain(client.key.split('\n')[1])
  })

  it('does not speak in the clear where tls:// was asked for', async () => {
    const plain = await untilTestEnds(startNats())
    const refused = await refusal({ servers: [`tls://${plain.address}`] })
    expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
