import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { json, type Served, serve } from './workspace.js'

const token = 'a-token-of-some-length'
const page = (metrics: object[]) => json({ page: '/orders', metrics })
const slow = { name: 'open-order', category: 'Interaction', value: 800, unit: 'ms' }

const withPages = (pages: string, options: Parameters<typeof serve>[1] = {}) =>
  serve({ 'nexus.yaml': `bus: memory\nperformance: { pages: ${pages} }\n` }, options)

/** The samples of Prometheus text whose name begins so. */
async function samples({ send }: Served, prefix: string, headers = {}): Promise<string[]> {
  const text = await (await send('/metrics', { headers })).text()
  return text.split('\n').filter((line) => line.startsWith(prefix))
}

async function code(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  return `${response.status} ${error.code} ${error.message}`
}

describe('metrics of pages', () => {
  it('are kept, added up, judged, and there for Prometheus', async () => {
    const served = await withPages('{}')
    const { client, send } = served
    const cls = { name: 'CLS', category: 'Rendering', value: 0.3, unit: 'score' }
    expect((await send('/api/performance', page(Array(5).fill(slow)))).status).toBe(204)
    expect((await send('/api/performance', page([cls]))).status).toBe(204)

    const { metrics, uxImprovements } = await client.pagePerformance()
    expect(metrics).toMatchObject([
      { name: 'open-order', unit: 'ms', count: 5, p95: 800 },
      { name: 'CLS', unit: 'score', count: 1, max: 0.3 },
    ])
    expect(uxImprovements).toMatchObject([{ id: 'slow-interaction:open-order', samples: 5 }])
    expect((await client.optimizations()).uxImprovements).toEqual(uxImprovements)
    expect(await samples(served, 'nexus_page_duration_seconds_')).toEqual(
      expect.arrayContaining([
        'nexus_page_duration_seconds_count{name="open-order"} 5',
        'nexus_page_duration_seconds_sum{name="open-order"} 4',
      ]),
    )
    expect(await samples(served, 'nexus_page_value_count')).toEqual([
      'nexus_page_value_count{name="CLS",unit="score"} 1',
    ])
  })

  it('are taken without the token, which a page does not have; all else needs it', async () => {
    const { send, client, runtime } = await withPages('{}', { env: { NEXUS_TOKEN: token } })
    const sent = { ...page([slow]), headers: { origin: runtime.url } }
    expect((await send('/api/performance', sent)).status).toBe(204)
    for (const method of ['GET', 'HEAD']) {
      expect((await send('/api/performance', { method })).status).toBe(401)
    }
    expect((await client.pagePerformance()).metrics).toHaveLength(1)
  })

  it('are taken from pages of other origins that were named, and from no others', async () => {
    const shop = 'https://shop.example.com'
    const { send, client } = await withPages(`{ origins: ['${shop}'] }`)
    const from = (origin: string, init: RequestInit) =>
      send('/api/performance', { ...init, headers: { ...init.headers, origin } })
    const asked = await from(shop, { method: 'OPTIONS' })
    expect(asked.status).toBe(204)
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': shop,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      vary: 'origin',
    })
    const taken = await from(shop, page([slow]))
    expect([taken.status, taken.headers.get('access-control-allow-origin')]).toEqual([204, shop])

    for (const origin of ['https://evil.example', 'null', `${shop}.evil.example`, `${shop}:444`]) {
      for (const init of [page([slow]), { method: 'OPTIONS' }]) {
        const refused = await from(origin, init)
        expect(refused.headers.has('access-control-allow-origin')).toBe(false)
        expect(await code(refused)).toMatch(/^403 ORIGIN_NOT_ALLOWED .*performance\.pages\.origins/)
      }
    }
    // Sending is all that such a page may do.
    expect((await from(shop, { method: 'GET' })).status).toBe(403)
    const elsewhere = await send('/api/webhook', json({ type: 'a' }, { origin: shop }))
    expect(elsewhere.status).toBe(403)
    expect((await client.pagePerformance()).metrics[0]).toMatchObject({ count: 1 })
  })

  it('that are wrong, too large or too many are refused with what to do', async () => {
    const served = await withPages('{ maxMetricsPerMinute: 10 }')
    const { send, client } = served
    const post = async (init: RequestInit) => code(await send('/api/performance', init))
    expect(await post(json('{'))).toMatch(/^400 INVALID_JSON/)
    expect(await post(json({ page: '/' }))).toMatch(/^400 INVALID_METRIC Expected \{ page, metrics/)
    expect(await post(page([{ ...slow, value: 'much' }]))).toMatch(
      /^400 INVALID_METRIC .*value .*a finite number, got "much"/,
    )
    expect(await post(json(' '.repeat(65_537)))).toBe(
      '413 BODY_TOO_LARGE The body is larger than 65536 bytes.',
    )
    const many = await send('/api/performance', page(Array(9).fill(slow)))
    expect(Number(many.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await code(many)).toMatch(/^429 TOO_MANY_METRICS .*10 metrics a minute.*raise/)
    expect((await client.pagePerformance()).metrics).toEqual([])
    expect(await samples(served, 'nexus_page_metrics_refused')).toEqual([
      'nexus_page_metrics_refused_total 9',
    ])
  })

  it('of names without end do not fill the scrape', async () => {
    const served = await withPages('{ maxNames: 20 }')
    const named = (from: number) =>
      Array.from({ length: 200 }, (_, i) => ({ ...slow, name: `n"${from + i}\n` }))
    for (const from of [0, 200]) await served.send('/api/performance', page(named(from)))
    const units = Array.from({ length: 50 }, (_, i) => ({ ...slow, name: 'LCP', unit: `u${i}` }))
    await served.send('/api/performance', page([...units, { ...slow, name: 'LCP' }]))
    const counts = await samples(served, 'nexus_page_duration_seconds_count')
    expect(counts).toHaveLength(22)
    expect(counts).toContain('nexus_page_duration_seconds_count{name="(other)"} 380')
    expect(counts).toContain('nexus_page_duration_seconds_count{name="LCP"} 1')
    expect(await samples(served, 'nexus_page_value_count')).toEqual([
      'nexus_page_value_count{name="(other)",unit="(other)"} 50',
    ])
  })

  it('are off until the configuration turns them on, and the answer says so', async () => {
    const { send } = await serve({ 'nexus.yaml': 'bus: memory\n' })
    for (const init of [page([slow]), {}]) {
      expect(await code(await send('/api/performance', init))).toMatch(
        /^404 PAGE_METRICS_OFF .*performance: \{ pages: \{\} \}/,
      )
    }
    const off = await withPages('{}', { env: { PERFORMANCE_ENABLED: 'false' } })
    expect(await code(await off.send('/api/performance', page([slow])))).toMatch(
      /^403 METRICS_DISABLED/,
    )
    await expect(withPages("{ origins: ['shop.example.com/'] }")).rejects.toThrow(
      'performance.pages.origins[0]: expected scheme, host and port alone',
    )
  })
})

/** A page that uses the client, with the address it sends to. */
async function pageWith(endpoint: string): Promise<string> {
  const contents = `
    import { createPerformanceClient } from '@nexus/profiler/browser'
    const client = createPerformanceClient({ endpoint: ${JSON.stringify(endpoint)}, sendIntervalMs: 50 })
    for (let i = 0; i < 5; i++) client.recordInteraction({ name: 'open-order', durationMs: 800 })
    await client.flush()
    document.title = JSON.stringify(client.getStats())
    Object.assign(window, { client })`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '..') },
    bundle: true,
    format: 'esm',
    write: false,
    conditions: ['@nexus/source'],
  })
  const script = outputFiles[0]!.text.replaceAll('</', '<\\/')
  return `<!doctype html><h1>Orders</h1><script type="module">${script}</script>`
}

async function openBrowserPage() {
  const browser = await launchChromium()
  onTestFinished(() => browser.close())
  return browser.newPage()
}

/** Resolves in a page once the browser has told of its largest paint, which may come after its scripts have ended. */
const largestPaint = `new Promise((resolve) => {
  new PerformanceObserver(() => resolve()).observe({ type: 'largest-contentful-paint', buffered: true })
})`

/** Leaves the page, which makes its last metrics final, and waits until they have come. */
async function vitalsOf(
  { client }: Served,
  left: Awaited<ReturnType<typeof openBrowserPage>>,
): Promise<string[]> {
  await left.evaluate(largestPaint)
  await left.goto('about:blank')
  const names = async () => (await client.pagePerformance()).metrics.map(({ name }) => name)
  await expect.poll(names).toContain('LCP')
  return names()
}

testInChromium('a real page of the server itself is measured', async () => {
  const served = await withPages('{}', { env: { NEXUS_TOKEN: token } })
  const html = await pageWith('/api/performance')
  const tab = await openBrowserPage()
  const address = `${served.runtime.url}/shop.html`
  await tab.route(address, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await tab.goto(address)
  await expect.poll(() => tab.title()).toMatch(/"sent":[1-9]/)
  const names = await vitalsOf(served, tab)
  expect(names).toEqual(expect.arrayContaining(['open-order', 'TTFB', 'FCP', 'navigation.load']))
  const authorization = `Bearer ${token}`
  const counts = await samples(served, 'nexus_page_duration_seconds_count', { authorization })
  expect(counts).toContain('nexus_page_duration_seconds_count{name="open-order"} 5')
  expect(counts.some((line) => line.includes('"LCP"'))).toBe(true)
})

testInChromium(
  'a real page of another origin is measured once it is named, not before',
  async () => {
    let html = ''
    const shop = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end(html)
    })
    await once(shop.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void shop.close())
    const origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
    const tab = await openBrowserPage()

    const stranger = await withPages('{}')
    html = await pageWith(`${stranger.runtime.url}/api/performance`)
    await tab.goto(origin)
    await expect.poll(() => tab.title()).toContain('"sent":0')
    await tab.goto('about:blank')
    expect((await stranger.client.pagePerformance()).metrics).toEqual([])

    const served = await withPages(`{ origins: ['${origin}'] }`)
    html = await pageWith(`${served.runtime.url}/api/performance`)
    await tab.goto(origin)
    await expect.poll(() => tab.title()).toMatch(/"sent":[1-9]/)
    expect(await vitalsOf(served, tab)).toContain('open-order')
    await tab.close()
  },
)
