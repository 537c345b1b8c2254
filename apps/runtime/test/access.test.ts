import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { json, serve } from './workspace.js'

const files = { 'nexus.yaml': 'functions: []\n' }
const token = 'a-token-of-some-length'

/** `fetch` does not let anyone set `Host`. */
function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/api/events`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

describe('a server on loopback', () => {
  it('refuses other host names, so that no web page can rebind its own to it', async () => {
    const { runtime } = await serve(files)
    const { port } = new URL(runtime.url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'LOCALHOST']) {
      expect(await statusWithHost(runtime.url, host)).toBe(200)
    }
    for (const host of ['evil.example', `localhost.evil.example:${port}`, '127.0.0.1.nip.io']) {
      expect(await statusWithHost(runtime.url, host)).toBe(403)
    }
  })

  it('refuses what pages of other origins send', async () => {
    const { send, runtime, client } = await serve(files)
    const event = { type: 'a.b' }
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      const response = await send('/api/webhook', json(event, { origin }))
      expect(response.status).toBe(403)
    }
    expect((await client.listEvents()).total).toBe(0)
    expect((await send('/api/webhook', json(event, { origin: runtime.url }))).status).toBe(202)
  })
})

describe('a server with a token', () => {
  it('wants it for everything but its health', async () => {
    const { send, client } = await serve(files, { env: { NEXUS_TOKEN: token } })
    for (const path of ['/api/events', '/api/metrics', '/metrics', '/api/events/x', '/nothing']) {
      const response = await send(path)
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect((await send('/api/webhook', json({ type: 'a' }))).status).toBe(401)
    expect((await send('/healthz')).status).toBe(200)
    expect((await send('/readyz')).status).toBe(200)
    await expect(client.listEvents()).resolves.toMatchObject({ total: 0 })
  })

  it('refuses a wrong one, whatever its length', async () => {
    const { send } = await serve(files, { env: { NEXUS_TOKEN: token } })
    for (const wrong of ['Bearer x', `Bearer ${token}x`, `Basic ${token}`, 'Bearer', token]) {
      expect((await send('/api/events', { headers: { authorization: wrong } })).status).toBe(401)
    }
  })
})
