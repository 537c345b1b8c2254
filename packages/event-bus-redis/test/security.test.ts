import { EventBus } from '@nexus/event-bus'
import { everythingShown, shownText } from '@nexus/event-bus/conformance'
import { RedisCacheTier, type RedisStoreOptions, redisStore } from '@nexus/event-bus-redis'
import {
  createCertificates,
  hasRedis,
  type ServerProcess,
  startRedis,
  untilTestEnds,
} from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

const secret = 'hunter2-very-secret'

const told = (options: RedisStoreOptions, server: ServerProcess): Promise<string> =>
  everythingShown(
    () => redisStore({ requestTimeoutMs: 2_000, ...options }),
    () => server.kill(),
  )

const refusal = (options: RedisStoreOptions): Promise<unknown> =>
  EventBus.open({ store: redisStore({ requestTimeoutMs: 2_000, ...options }) }).then(
    () => expect.unreachable('the server let it in'),
    (error: unknown) => error,
  )

describe.skipIf(!hasRedis())('a bus on a Redis server that asks who is there', () => {
  it('takes a password, and shows it nowhere', async () => {
    const server = await untilTestEnds(startRedis(['--requirepass', secret]))
    const wrong = await refusal({ url: `redis://:not-${secret}@${server.address}` })
    expect(wrong).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(shownText(wrong)).not.toContain(secret)
    const url = `redis://:${secret}@${server.address}`
    expect(await told({ url }, server)).not.toContain(secret)
  })

  it('takes an ACL user who may use only the keys and channels of its prefix', async () => {
    const rules = ['on', `>${secret}`, '~shop:*', '&shop:*', '+@all', '-@admin']
    const server = await untilTestEnds(startRedis(['--user', 'nexus', ...rules]))
    const url = `redis://nexus:${secret}@${server.address}`
    const elsewhere = await EventBus.open({ store: redisStore({ url, prefix: 'other' }) }).catch(
      (error: unknown) => error,
    )
    expect(elsewhere).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(shownText(elsewhere)).not.toContain(secret)
    const shown = await told({ url, prefix: 'shop', serverDurability: 'os' }, server)
    expect(shown).not.toContain(secret)
  })
})

describe.skipIf(!hasRedis())('a bus on a Redis server with TLS', () => {
  async function start(...settings: string[]) {
    const certificates = await untilTestEnds(createCertificates())
    const { ca, cert, key } = certificates.files
    const files = ['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key]
    const server = await untilTestEnds(
      startRedis([...files, '--requirepass', secret, ...settings], { tls: true }),
    )
    return { server, url: `rediss://:${secret}@${server.address}`, certificates }
  }

  it('trusts the authority it is given, and no other', async () => {
    const { server, url, certificates } = await start('--tls-auth-clients', 'no')
    const untrusted = await refusal({ url })
    expect(untrusted).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(shownText(untrusted)).not.toContain(secret)
    const plain = await refusal({ url: url.replace('rediss:', 'redis:') })
    expect(plain).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const tier = new RedisCacheTier({ url, tls: { ca: certificates.ca } })
    await tier.put('key', new Uint8Array([1]))
    expect(await tier.get('key')).toHaveLength(1)
    await tier.close()
    expect(await told({ url, tls: { ca: certificates.ca } }, server)).not.toContain(secret)
  })

  it('shows a certificate of its own where the server asks for one', async () => {
    const { server, url, certificates } = await start('--tls-auth-clients', 'yes')
    const { ca, client } = certificates
    expect(await refusal({ url, tls: { ca } })).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const shown = await told({ url, tls: { ca, ...client } }, server)
    expect(shown).not.toContain(client.key.split('\n')[1])
  })
})
