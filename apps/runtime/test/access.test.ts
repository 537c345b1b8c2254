import { createHmac } from 'node:crypto'
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

describe('signed webhooks', () => {
  const signed = {
    'nexus.yaml':
      'webhook: { signature: { secretEnv: HOOK_SECRET, header: X-Hub-Signature-256 }, typeHeader: X-GitHub-Event }\n',
  }
  const env = { HOOK_SECRET: "It's a Secret to Everybody" }
  const sign = (body: string) =>
    `sha256=${createHmac('sha256', env.HOOK_SECRET).update(body).digest('hex')}`

  it('are taken with the signature of their body, without a token', async () => {
    const { send } = await serve(signed, { env: { ...env, NEXUS_TOKEN: token } })
    const body = '{"zen": "Keep it logically awesome."}'
    const headers = { 'x-github-event': 'ping', 'x-hub-signature-256': sign(body) }
    expect((await send('/api/webhook', json(body, headers))).status).toBe(202)
    expect((await send('/api/events', json('{}', headers))).status).toBe(401)
  })

  it('are refused without it, or with that of another body', async () => {
    const { send, client } = await serve(signed, { env })
    const other = { 'x-github-event': 'ping', 'x-hub-signature-256': sign('{}') }
    for (const headers of [{ 'x-github-event': 'ping' }, other]) {
      const response = await send('/api/webhook', json('{"a":1}', headers))
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ error: { code: 'SIGNATURE_INVALID' } })
    }
    expect((await client.listEvents()).total).toBe(0)
  })
})
