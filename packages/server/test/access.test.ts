import { request } from 'node:http'
import { expect, it } from 'vitest'
import { everyPart } from './parts.js'
import { json, serve } from './serve.js'

/** `fetch` lets no program set what only browsers say. */
function status(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
      .on('error', reject)
      .end()
  })
}

it('refuses what a browser sends for a page of another origin, with or without Origin', async () => {
  const { url } = await serve()
  for (const path of ['/api/events', '/api/events/x', '/healthz', '/none']) {
    for (const site of ['cross-site', 'same-site', 'something-new']) {
      expect(await status(url + path, { 'sec-fetch-site': site })).toBe(403)
      const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
      expect(await status(url + path, { 'sec-fetch-site': site, ...navigation })).toBe(403)
    }
  }
  for (const site of ['same-origin', 'none']) {
    expect(await status(`${url}/api/events`, { 'sec-fetch-site': site })).toBe(200)
  }
})

it('lets a link on another site lead to a page, and nothing else of that site', async () => {
  const { url } = await serve()
  const link = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
  expect(await status(`${url}/page`, link)).toBe(200)
  for (const change of [
    { 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-dest': 'iframe' },
    { origin: 'https://evil.example' },
  ]) {
    expect(await status(`${url}/page`, { ...link, ...change })).toBe(403)
  }
  expect(await status(`${url}/page`, link, 'HEAD')).toBe(200)
  // A form of another site navigates with POST, and some clients send no Origin with it.
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await status(`${url}/page`, link, method)).toBe(403)
  }
})

it('takes a page on another port of the same host for another origin', async () => {
  const { bus, send, port, url } = await serve()
  for (const other of [
    `http://127.0.0.1:${port + 1}`,
    'http://127.0.0.1',
    `http://localhost:${port}`,
  ]) {
    expect((await send('/api/webhook', json({ type: 'a' }, { origin: other }))).status).toBe(403)
  }
  expect((await bus.list()).total).toBe(0)
  expect((await send('/api/webhook', json({ type: 'a' }, { origin: url }))).status).toBe(202)
})

it('does not mount without a token where other machines reach it', async () => {
  await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'TOKEN_REQUIRED' })
  await expect(serve({ tokn: 'x' } as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
})

it('takes metrics of pages of the origins that are named, and lets them do nothing else', async () => {
  const named = 'https://shop.example'
  const { options } = everyPart()
  const { url } = await serve({ ...options, pages: { origins: [named] } })
  const from = (origin: string) => ({ origin, 'sec-fetch-site': 'cross-site' })
  const pages = `${url}/api/performance`
  const asks = { 'access-control-request-method': 'POST' }
  expect(await status(pages, { ...from(named), ...asks }, 'OPTIONS')).toBe(204)
  for (const other of [
    'https://shop.example.evil.example',
    'http://shop.example',
    'https://shop.example:8443',
    'https://www.shop.example',
    'null',
    '',
  ]) {
    expect(await status(pages, { ...from(other), ...asks }, 'OPTIONS')).toBe(403)
    expect(await status(pages, from(other), 'POST')).toBe(403)
  }
  expect(await status(pages, from(named), 'POST')).not.toBe(403)
  for (const path of ['/api/events', '/api/webhook', '/healthz', '/page']) {
    expect(await status(url + path, from(named), 'POST')).toBe(403)
    expect(await status(url + path, from(named))).toBe(403)
  }
})
