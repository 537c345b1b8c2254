import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { expect, onTestFinished, vi } from 'vitest'
import { attackFromPage, attackFromWorker } from './cross-origin-page.js'
import { everyPart } from './parts.js'
import { serve } from './serve.js'

/** A browser refuses some of these by itself; of the others the server has to see each. */
const waysOfWorkers = [
  ...['fetch-cors-POST', 'fetch-no-cors-POST', 'keepalive-cors-POST', 'keepalive-no-cors-POST'],
  ...['get-cors', 'get-no-cors', 'websocket'],
]
const waysOfFrames = [
  ...waysOfWorkers,
  ...['simple', 'beacon', 'xhr', 'form', 'head-no-cors', 'img', 'script', 'module', 'iframe'],
  ...['video', 'stylesheet', 'prefetch', 'preload', 'ping', 'eventsource'],
]
const waysOfPages = [...waysOfFrames, 'object', 'embed']

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

const html = '<!doctype html><p id="loaded">a page</p>'
/** A service worker that sends what its page asks for. */
const workerScript = `
  self.addEventListener('activate', (event) => event.waitUntil(self.clients?.claim()))
  self.addEventListener('fetch', (event) => event.respondWith(fetch(event.request)))`

/** A page of another server, at another port. */
async function otherServer(host: string): Promise<string> {
  const other = createServer(({ url }, response) => {
    const [type, text] =
      url === '/worker.js' ? ['text/javascript', workerScript] : ['text/html', html]
    response.setHeader('content-type', type).end(text)
  })
  await once(other.listen(0, host), 'listening')
  onTestFinished(() => {
    other.closeAllConnections()
    other.close()
  })
  return `http://${host}:${(other.address() as AddressInfo).port}/`
}

/** What runs a function where the page, the frame or the worker is. */
type Place = Pick<Tab, 'evaluate'>

/** A document in a frame of a page at another port. */
async function frameIn(
  tab: Tab,
  attributes: Record<string, string>,
  blob: boolean,
): Promise<Place> {
  await tab.goto(await otherServer('127.0.0.1'))
  await tab.evaluate(
    ([given, text]) => {
      const frame = document.createElement('iframe')
      for (const [name, value] of Object.entries(given)) frame.setAttribute(name, value)
      if (text) frame.src = URL.createObjectURL(new Blob([text], { type: 'text/html' }))
      document.body.append(frame)
    },
    [attributes, blob ? html : ''] as const,
  )
  await expect.poll(() => tab.frames().length).toBe(2)
  const frame = tab.frames()[1]!
  await frame.waitForSelector('#loaded')
  return frame
}

const sandbox = 'allow-scripts allow-forms allow-popups'

interface Attacker {
  open(tab: Tab): Promise<Place>
  attack: typeof attackFromPage
  ways: readonly string[]
}

const pageOf = (address: () => Promise<string> | string): Attacker => ({
  attack: attackFromPage,
  ways: waysOfPages,
  async open(tab) {
    await tab.goto(await address())
    return tab
  },
})

const frame = (
  attributes: Record<string, string>,
  { blob = false, ways = waysOfFrames } = {},
): Attacker => ({
  attack: attackFromPage,
  ways,
  open: (tab) => frameIn(tab, attributes, blob),
})

const attackers: Record<string, Attacker> = {
  'a page of another port of the same host': pageOf(() => otherServer('127.0.0.1')),
  'a page of another host': pageOf(() => otherServer('127.0.0.2')),
  'a file': pageOf(() => pathToFileURL(import.meta.filename).href),
  'a sandboxed frame': frame({ sandbox, srcdoc: html }),
  'a data: document': frame({ src: `data:text/html,${encodeURIComponent(html)}` }),
  'a blob: document': frame({}, { blob: true }),
  'a sandboxed blob: document': frame({ sandbox }, { blob: true }),
  'a page whose service worker sends its requests': {
    attack: attackFromPage,
    ways: waysOfPages,
    async open(tab) {
      await tab.goto(await otherServer('127.0.0.1'))
      await tab.evaluate(async () => {
        const controlled = new Promise((done) => {
          navigator.serviceWorker.addEventListener('controllerchange', done)
        })
        await navigator.serviceWorker.register('/worker.js')
        await controlled
      })
      return tab
    },
  },
  'a service worker': {
    attack: attackFromWorker,
    ways: waysOfWorkers,
    async open(tab) {
      await tab.goto(await otherServer('127.0.0.1'))
      const started = tab.context().waitForEvent('serviceworker')
      await tab.evaluate(() => navigator.serviceWorker.register('/worker.js').then(() => {}))
      return started
    },
  },
  'a worker': {
    attack: attackFromWorker,
    ways: waysOfWorkers,
    async open(tab) {
      await tab.goto(await otherServer('127.0.0.1'))
      const started = tab.waitForEvent('worker')
      await tab.evaluate(() => void new Worker('/worker.js'))
      return started
    },
  },
}

for (const [name, { open, attack, ways }] of Object.entries(attackers)) {
  testInChromium(
    `no request of ${name} does any work`,
    async () => {
      const { url, used, answers, bus } = await watchedServer()
      const place = await open(await openTab())
      await place.evaluate(attack, url)
      const seen = () => [...new Set(answers.map(({ way }) => way))].sort()
      await expect.poll(seen, { timeout: 20_000 }).toEqual(expect.arrayContaining([...ways]))
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
