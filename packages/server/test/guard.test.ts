import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { everyPart } from './parts.js'
import { serve } from './serve.js'

/** What is answered to a GET with these headers, of which `fetch` would set some itself. */
function answerTo(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; code: string | undefined }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => {
        const code = /"code":"(\w+)"/.exec(body)?.[1]
        resolve({ status: response.statusCode!, code })
      })
    })
      .on('error', reject)
      .end()
  })
}

const PATHS = ['/api/events', '/api/events/x', '/healthz', '/page', '/none', '/metrics']

describe('a server on loopback', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.example:127.0.0.1',
    'xlocalhost',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    '[::]',
    '::1.evil.example',
    '127.0.0.1:80:80',
  ])('refuses requests for another host, as a page makes that resolves to it: %s', async (host) => {
    const { options } = everyPart()
    const { url } = await serve(options)
    for (const path of PATHS) {
      const { status, code } = await answerTo(url + path, { host })
      expect([path, status]).toEqual([path, status === 400 ? 400 : 403])
      expect(['HOST_NOT_ALLOWED', 'BAD_REQUEST']).toContain(code)
    }
  })

  it.each(['127.0.0.1', 'localhost', 'LocalHost:8080', '127.9.9.9:1', '[::1]', '[::1]:80'])(
    'answers to its own names: %s',
    async (host) => {
      const { url } = await serve()
      expect(await answerTo(`${url}/api/events`, { host })).toMatchObject({ status: 200 })
    },
  )

  it('keeps what holds every secret for those with a token, and has none without one', async () => {
    const { options } = everyPart()
    const { url } = await serve(options)
    const answer = await fetch(`${url}/api/heap-snapshot`, { method: 'POST' })
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { error: { code: 'TOKEN_REQUIRED' } },
    ])
  })
})

describe('a server with a token', () => {
  const token = 'tok-1234567890123'

  it.each([
    {},
    { authorization: '' },
    { authorization: token },
    { authorization: 'Bearer' },
    { authorization: 'Bearer tok-1234567890124' },
    { authorization: 'Bearer tok-123456789012' },
    { authorization: 'Bearer tok-12345678901234' },
    { authorization: 'Bearer TOK-1234567890123' },
    { authorization: `Basic ${token}` },
    { authorization: `xBearer ${token}` },
    { authorization: `Basic Bearer ${token}` },
  ])('refuses requests without it, to every path but health: %o', async (headers) => {
    const { url } = await serve({ token, host: '0.0.0.0', ...everyPart().options })
    for (const path of PATHS) {
      const { status } = await answerTo(url + path, headers as Record<string, string>)
      expect([path, status]).toEqual([path, path === '/healthz' ? 200 : 401])
    }
  })

  it('takes it in any spelling of the scheme, under any name of the host', async () => {
    const { url } = await serve({ token, host: '0.0.0.0' })
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${token}`, host: 'events.example:8443' }
      expect(await answerTo(`${url}/api/events`, headers)).toMatchObject({ status: 200 })
    }
  })

  it('on loopback still refuses requests for another host', async () => {
    const { url } = await serve({ token })
    const headers = { authorization: `Bearer ${token}`, host: 'evil.example' }
    expect(await answerTo(`${url}/api/events`, headers)).toMatchObject({ status: 403 })
  })

  it('takes no metrics of pages where no page may send any', async () => {
    const { metrics } = everyPart().options
    const { url } = await serve({ token, host: '0.0.0.0', metrics })
    const answer = await fetch(`${url}/api/performance`, { method: 'POST', body: '[]' })
    expect([401, 404]).toContain(answer.status)
  })
})

describe('what a browser says of the page that asks', () => {
  const OWN = ['http://127.0.0.1', 'https://127.0.0.1']

  it.each(OWN)('counts by its origin, scheme and port: %s', async (scheme) => {
    const { url, port } = await serve()
    const read = (headers: Record<string, string>) => answerTo(`${url}/api/events`, headers)
    expect(await read({ origin: `${scheme}:${port}` })).toMatchObject({ status: 200 })
    for (const origin of [
      `${scheme}:${port + 1}`,
      scheme,
      'null',
      '',
      'no url',
      `ftp://127.0.0.1:${port}`,
    ]) {
      expect([origin, (await read({ origin })).status]).toEqual([origin, 403])
    }
    expect(
      await read({ origin: `${scheme}:${port}`, 'sec-fetch-site': 'cross-site' }),
    ).toMatchObject({ status: 403 })
    expect(
      await read({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }),
    ).toMatchObject({ status: 403 })
  })

  it('counts in any spelling of the host', async () => {
    const { url, port } = await serve()
    const headers = { host: `LOCALHOST:${port}`, origin: `http://localhost:${port}` }
    expect(await answerTo(`${url}/api/events`, headers)).toMatchObject({ status: 200 })
  })
})
