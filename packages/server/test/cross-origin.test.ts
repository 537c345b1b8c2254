import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { expect, onTestFinished, vi } from 'vitest'
import { attackFromPage } from './cross-origin-page.js'
import { everyPart } from './parts.js'
import { serve } from './serve.js'

/** A browser refuses some of these by itself; of the others the server has to see each. */
const waysThatArrive = [
  ...['fetch-cors-POST', 'fetch-no-cors-POST', 'simple', 'beacon', 'xhr', 'form', 'get-cors'],
  ...['get-no-cors', 'head-no-cors', 'img', 'script', 'module', 'iframe', 'object', 'embed'],
  ...['video', 'stylesheet', 'prefetch', 'preload', 'ping', 'eventsource', 'websocket'],
]

/** The server with every route, and a log of what it was asked and how it answered. */
async function watchedServer() {
  const { work, options } = everyPart()
  const served = await serve(options)
  await served.bus.publish({ type: 'a', id: 'e-1' })
  const used = [
    ...(['list', 'get', 'replay', 'publish', 'publishBatch', 'getStats', 'erase'] as const).map(
      (name) => vi.spyOn(served.bus, name),
    ),
    ...Object.values(work),
  ]
  const answers: { way: string | null; path: string; status: number; readable: boolean }[] = []
  served.server.server.on('request', ({ url }, response) => {
    response.on('finish', () => {
      const { pathname, searchParams } = new URL(url!, served.url)
      const readable = response.hasHeader('access-control-allow-origin')
      const way = searchParams.get('from')
      answers.push({ way, path: pathname, status: response.statusCode, readable })
    })
  })
  return { ...served, work, used, answers }
}

async function openTab() {
  const browser = await launchChromium()
  onTestFinished(() => browser.close())
  return browser.newPage()
}

type Tab = Awaited<ReturnType<typeof openTab>>

/** A page of another server, at another port. */
async function otherServer(host: string): Promise<string> {
  const other = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><body>')
  })
  await once(other.listen(0, host), 'listening')
  onTestFinished(() => {
    other.closeAllConnections()
    other.close()
  })
  return `http://${host}:${(other.address() as AddressInfo).port}/`
}

const origins: [string, (tab: Tab) => Promise<Pick<Tab, 'evaluate'>>][] = [
  [
    'another port of the same host',
    async (tab) => {
      await tab.goto(await otherServer('127.0.0.1'))
      return tab
    },
  ],
  [
    'another host',
    async (tab) => {
      await tab.goto(await otherServer('127.0.0.2'))
      return tab
    },
  ],
  [
    'a file',
    async (tab) => {
      await tab.goto(pathToFileURL(import.meta.filename).href)
      return tab
    },
  ],
]

for (const [name, open] of origins) {
  testInChromium(
    `no request of a page of ${name} does any work`,
    async () => {
      const { url, used, answers, bus } = await watchedServer()
      const tab = await openTab()
      const page = await open(tab)
      await page.evaluate(attackFromPage, url)
      const ways = () => [...new Set(answers.map(({ way }) => way))].sort()
      await expect.poll(ways, { timeout: 20_000 }).toEqual(expect.arrayContaining(waysThatArrive))
      expect(answers.filter(({ status }) => status !== 403)).toEqual([])
      expect(answers.filter(({ readable }) => readable)).toEqual([])
      for (const one of used) expect(one).not.toHaveBeenCalled()
      vi.restoreAllMocks()
      expect((await bus.list()).total).toBe(1)
    },
    120_000,
  )
}

testInChromium(
  'a page of another origin may lead its reader to pages and nowhere else',
  async () => {
    const { url, used, answers } = await watchedServer()
    const tab = await openTab()
    const other = await otherServer('127.0.0.2')
    const paths = ['/api/events', '/api/events/e-1', '/metrics', '/healthz', '/page', '/none']
    for (const path of paths) {
      await tab.goto(other)
      await tab.evaluate((address) => void window.open(address), `${url}${path}?from=opened`)
      await tab.evaluate((address) => location.assign(address), `${url}${path}?from=led`)
      await tab.waitForURL(`${url}/**`)
    }
    for (const action of ['/api/webhook', '/api/events/e-1/replay', '/page']) {
      await tab.goto(other)
      await tab.evaluate((address) => {
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action: address, enctype: 'text/plain' })
        document.body.append(form)
        form.submit()
      }, `${url}${action}?from=posted`)
      await tab.waitForURL(`${url}/**`)
    }
    await expect.poll(() => answers.filter(({ way }) => way === 'opened')).toHaveLength(6)
    const taken = answers.filter(({ way, status }) => way !== null && status !== 403)
    expect(taken.map(({ way, path, status }) => [way, path, status]).sort()).toEqual([
      ['led', '/page', 200],
      ['opened', '/page', 200],
    ])
    for (const one of used) expect(one).not.toHaveBeenCalled()
  },
  120_000,
)

testInChromium(
  'a page of the server itself may do all of it',
  async () => {
    const { url, work, bus } = await watchedServer()
    const tab = await openTab()
    await tab.goto(`${url}/page`)
    const statuses = await tab.evaluate(async () => {
      const post = async (path: string, body: string) => {
        const headers = {
          'content-type': 'application/cloudevents+json',
          'x-nexus-event-type': 'a',
        }
        return (await fetch(path, { method: 'POST', headers, body })).status
      }
      const event = { specversion: '1.0', id: 'own', source: '/', type: 'a' }
      return [
        await post('/api/webhook', '1'),
        await post('/api/events', JSON.stringify(event)),
        await post('/api/events/e-1/replay', ''),
        await post('/api/profile', ''),
        await post('/api/performance', '{}'),
        await post('/api/optimizations/o-1/apply', ''),
        (await fetch('/api/events')).status,
        (await fetch('/metrics')).status,
        navigator.sendBeacon('/api/webhook', '{"type":"beacon"}') ? 1 : 0,
      ]
    })
    expect(statuses).toEqual([202, 202, 202, 200, 204, 200, 200, 200, 1])
    for (const one of [work.profile, work.recordPageMetrics, work.applyOptimization]) {
      expect(one).toHaveBeenCalledOnce()
    }
    await expect.poll(async () => (await bus.list()).total).toBe(4)
  },
  120_000,
)
