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
