import { EventBus, memoryStore } from '@nexus/event-bus'
import { nexusApi } from '@nexus/server'
import { fastify } from 'fastify'
import { expect, it, onTestFinished } from 'vitest'

it('mounts below a prefix and touches nothing of the application around it', async () => {
  const bus = await EventBus.open({ store: memoryStore() })
  const app = fastify()
  app.post('/own', ({ body }) => body)
  await app.register(nexusApi, { prefix: '/nexus', bus })
  onTestFinished(async () => {
    await app.close()
    await bus.close()
  })
  const own = await app.inject({ method: 'POST', url: '/own', payload: { n: 1 } })
  expect(own.json()).toEqual({ n: 1 })
  expect(own.headers).not.toHaveProperty('cache-control')
  const site = { 'sec-fetch-site': 'cross-site', host: 'shop.example' }
  expect(
    (await app.inject({ url: '/own', method: 'POST', headers: site, payload: {} })).statusCode,
  ).toBe(200)

  const published = await app.inject({
    method: 'POST',
    url: '/nexus/api/webhook',
    headers: { host: 'localhost', 'content-type': 'application/json' },
    payload: '{"type":"a"}',
  })
  expect(published.statusCode).toBe(202)
  const ready = await app.inject({ url: '/nexus/readyz', headers: { host: 'localhost' } })
  expect(ready.json()).toEqual({ status: 'ready', bus: { backend: 'memory', connected: true } })
  expect((await app.inject({ url: '/nexus/readyz', headers: site })).statusCode).toBe(403)
})

it('takes a page that came without TLS for another origin than a server with TLS', async () => {
  const bus = await EventBus.open({ store: memoryStore() })
  const app = fastify({ trustProxy: true })
  await app.register(nexusApi, { bus })
  onTestFinished(async () => {
    await app.close()
    await bus.close()
  })
  const status = async (origin: string, protocol: string) => {
    const headers = { host: 'localhost', origin, 'x-forwarded-proto': protocol }
    return (await app.inject({ url: '/healthz', headers })).statusCode
  }
  expect(await status('https://localhost', 'https')).toBe(200)
  expect(await status('http://localhost', 'http')).toBe(200)
  expect(await status('http://localhost', 'https')).toBe(403)
  // Where a proxy that nothing is known of ends TLS.
  expect(await status('https://localhost', 'http')).toBe(200)
  expect(await status('ftp://localhost', 'http')).toBe(403)
})
