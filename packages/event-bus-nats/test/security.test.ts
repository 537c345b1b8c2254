import { EventBus } from '@nexus/event-bus'
import { shownText } from '@nexus/event-bus/conformance'
import { NatsCacheTier, type NatsStoreOptions, natsStore } from '@nexus/event-bus-nats'
import { createCertificates, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

const secret = 'hunter2-very-secret'

const refusal = (options: NatsStoreOptions): Promise<unknown> =>
  EventBus.open({ store: natsStore({ requestTimeoutMs: 1_000, ...options }) }).then(
    () => expect.unreachable('the server let it in'),
    (error: unknown) => error,
  )

it.skipIf(!hasNats())('says what to check where a NATS server lets it not in', async () => {
  const server = await untilTestEnds(startNats(['--user', 'nexus', '--pass', secret]))
  const wrong = await refusal({ servers: [`nats://nexus:not-${secret}@${server.address}`] })
  expect(wrong).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(String(wrong)).toContain('check user and password in `servers`, `token` or `credentials`')
})

describe.skipIf(!hasNats())('a bus on a NATS server with TLS', () => {
  async function start() {
    const certificates = await untilTestEnds(createCertificates())
    const { ca, cert, key } = certificates.files
    const files = ['--tls', '--tlscert', cert, '--tlskey', key, '--tlscacert', ca]
    const server = await untilTestEnds(startNats([...files, '--user', 'nexus', '--pass', secret]))
    const servers = [`tls://nexus:${secret}@${server.address}`]
    return { servers, certificates }
  }

  it('trusts the authority it is given, and no other', async () => {
    const { servers, certificates } = await start()
    const untrusted = await refusal({ servers })
    expect(untrusted).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(shownText(untrusted)).not.toContain(secret)
    const tls = { ca: certificates.ca }
    const tier = new NatsCacheTier({ servers, tls })
    await tier.put('key', new Uint8Array([1]))
    expect(await tier.get('key')).toHaveLength(1)
    await tier.close()
  })

  it('does not speak in the clear where tls:// was asked for', async () => {
    const plain = await untilTestEnds(startNats())
    const refused = await refusal({ servers: [`tls://${plain.address}`] })
    expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
