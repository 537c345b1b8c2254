import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createPerformanceClient, type PerformanceClient } from '@nexus/profiler'
import type { BrowserPerformanceClient } from '@nexus/profiler/browser'
import { eventually } from '@nexus/test-kit'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'

const PAGE = `<!doctype html><title>Orders</title><h1>Orders</h1>
<button id="slow">Open</button><p id="answer">…</p><script type="module" src="/page.js"></script>`

let script: string
let server: Server
let url: string
let browser: Browser
let client: PerformanceClient
/** What the server answers to the page's metrics. */
let answer = 204

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'fixtures/page.ts')],
    bundle: true,
    format: 'esm',
    write: false,
    conditions: ['@nexus/source'],
  })
  script = outputFiles[0]!.text
  server = createServer(async (request, response) => {
    if (request.url === '/api/performance') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      if (answer === 204) client.recordPageMetrics(JSON.parse(Buffer.concat(chunks).toString()))
      response.writeHead(answer).end()
    } else if (request.url === '/page.js') {
      response.setHeader('Content-Type', 'text/javascript').end(script)
    } else response.setHeader('Content-Type', 'text/html').end(PAGE)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders?secret=1`
})

beforeEach(() => {
  client?.close()
  client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  answer = 204
})

afterAll(async () => {
  await browser?.close()
  client?.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function openPage(): Promise<Page> {
  browser ??= await launchChromium()
  const page = await browser.newPage()
  await page.goto(url)
  return page
}

/** Runs in the page: the browser measures the click up to the paint after it, and tells later. */
function waitForInteractionEntry(): Promise<void> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      if (!list.getEntries().some((entry) => entry.name === 'click')) return
      // The library looks at the entry when the page is idle, or after a second: so later than that.
      requestIdleCallback(() => resolve(), { timeout: 2_000 })
    })
    observer.observe({ type: 'event', buffered: true })
  })
}

interface PageWindow {
  client: BrowserPerformanceClient
}

const names = () => new Set(client.getMetrics().map(({ name }) => name))

testInChromium('a page sends its web vitals, long tasks, loading and interactions', async () => {
  const page = await openPage()
  await page.locator('#slow').click()
  await page.locator('#answer', { hasText: 'done' }).waitFor()
  await page.evaluate(waitForInteractionEntry)
  // Web vitals are final once the page is left.
  await page.goto('about:blank')
  await expect
    .poll(names)
    .toEqual(
      new Set([
        ...['TTFB', 'FCP', 'LCP', 'CLS', 'INP', 'long-task', 'open-order'],
        ...['dns', 'connect', 'response', 'download', 'domReady', 'load', 'transferred'].map(
          (part) => `navigation.${part}`,
        ),
      ]),
    )
  const metric = (name: string) => client.getMetrics({ name })[0]!
  expect(metric('INP').value).toBeGreaterThanOrEqual(250)
  expect(metric('long-task')).toMatchObject({ category: 'Cpu', unit: 'ms' })
  // A busy machine may make other tasks of the page long as well.
  const longTasks = client.getMetrics({ name: 'long-task' }).map(({ value }) => value)
  expect(Math.max(...longTasks)).toBeGreaterThanOrEqual(250)
  expect(metric('FCP').value).toBeGreaterThan(0)
  expect(metric('navigation.transferred').value).toBeGreaterThan(PAGE.length)
  expect(metric('open-order')).toMatchObject({ category: 'Interaction', value: 300 })
  expect(client.getMetrics().every(({ metadata }) => metadata.page === '/orders')).toBe(true)
  await page.close()
})

testInChromium('a page can look at its own figures', async () => {
  const page = await openPage()
  const result = await page.evaluate(() => {
    const { client } = globalThis as unknown as PageWindow
    for (let i = 0; i < 5; i++) client.recordInteraction({ name: 'search', durationMs: 800 })
    return {
      snapshot: client.createSnapshot(),
      improvements: client.getUxImprovements(),
      stats: client.getStats(),
    }
  })
  expect(result.snapshot.page).toBe('/orders')
  expect(result.snapshot.navigation!.transferredBytes).toBeGreaterThan(0)
  expect(result.snapshot.metrics.find(({ name }) => name === 'search')).toMatchObject({ count: 5 })
  expect(result.improvements).toMatchObject([{ id: 'slow-interaction:search' }])
  expect(result.stats.metrics).toBeGreaterThanOrEqual(5)
  await page.close()
})

testInChromium('a server that is down loses nothing but what does not fit', async () => {
  answer = 503
  const page = await openPage()
  const record = (count: number) =>
    page.evaluate(async (count) => {
      const { client } = globalThis as unknown as PageWindow
      for (let i = 0; i < count; i++) client.recordMetric({ name: 'many', value: i, unit: 'x' })
      await client.flush()
      return client.getStats()
    }, count)
  expect(await record(100)).toMatchObject({ sent: 0, dropped: 0 })
  await record(600)
  // What is on its way to the server, by the timer of the page, comes back when it is refused.
  await eventually(
    () => record(0),
    ({ pending, dropped }) => pending <= 500 && dropped >= 200,
  )
  answer = 204
  const newest = async () => {
    await record(0)
    return client.getMetrics({ name: 'many' }).at(-1)?.value
  }
  await expect.poll(newest).toBe(599)
  await page.close()
})

testInChromium(
  'large metrics are sent at once, so that little waits when the page goes',
  async () => {
    const page = await openPage()
    await page.evaluate(() => {
      const { client } = globalThis as unknown as PageWindow
      const metadata = { text: '漢'.repeat(900) }
      for (let i = 0; i < 60; i++)
        client.recordMetric({ name: 'large', value: i, unit: 'x', metadata })
    })
    await expect.poll(() => client.getMetrics({ name: 'large' })).toHaveLength(60)
    await page.evaluate(() => {
      const { client } = globalThis as unknown as PageWindow
      client.recordMetric({ name: 'last', value: 1, unit: 'x' })
    })
    // Not by the page itself: what it was asked to evaluate may never be answered once it is gone.
    await page.goto('about:blank')
    // One that was on its way when the page went may come twice.
    await expect.poll(() => client.getMetrics({ name: 'last' })).not.toHaveLength(0)
    await page.close()
  },
)

testInChromium('wrong options are named', async () => {
  const page = await openPage()
  const message = await page.evaluate(() => {
    const { client } = globalThis as unknown as PageWindow
    const Client = client.constructor as new (options: object) => unknown
    try {
      new Client({ sendIntervalMs: 0, colour: 'red' })
      return 'accepted'
    } catch (error) {
      return String(error)
    }
  })
  expect(message).toContain('unknown or wrong options: colour, endpoint, sendIntervalMs')
  await page.close()
})
