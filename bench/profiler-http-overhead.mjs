// What measuring costs an HTTP server: CPU time per request with all metrics on, with a CPU profile, and with
// heap sampling, against nothing on, in interleaved slices. CPU time, because it depends little on what else the
// machine does. Each slice is compared with the slices of nothing before and after it, and the spread of these
// pairs is told; "nothing again" shows what the method itself makes of no difference.
// Run with: node bench/profiler-http-overhead.mjs [rounds]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'

const ROUNDS = Number(process.argv[2] ?? 20)
const REQUESTS = 2_000
const WARM_UP = 5_000
const CONNECTIONS = 16
const MODES = ['nothing again', 'metrics', 'cpu profile', 'heap sampling']

if (process.send) await serve()
else await measure()

/** Serves orders; the parent says what to measure, and asks what it cost. */
async function serve() {
  const { MetricsCollector, addProcessMetrics } = await import('@nexus/metrics')
  const { createPerformanceClient } = await import('@nexus/profiler')
  const collector = new MetricsCollector()
  const requests = collector.registry.counter({
    name: 'http_requests_total',
    help: 'Requests.',
    labelNames: ['method', 'route', 'status'],
  })
  const duration = collector.registry
    .histogram({ name: 'http_request_duration_seconds', help: 'Time.', labelNames: ['route'] })
    .bind({ route: '/orders' })
  const client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  const scrapesUs = []
  let recording = false
  let end = async () => {}

  const server = createServer((_, response) => {
    const start = performance.now()
    const items = Array.from({ length: 50 }, (_, i) => ({ id: i, quantity: i % 5, price: i * 1.5 }))
    const total = items.reduce((sum, item) => sum + item.quantity * item.price, 0)
    const body = JSON.stringify({ total, items: JSON.parse(JSON.stringify(items)) })
    response.setHeader('Content-Type', 'application/json').end(body)
    if (!recording) return
    const durationMs = performance.now() - start
    requests.inc({ method: 'GET', route: '/orders', status: 200 })
    duration.observe(durationMs / 1_000)
    collector.recordExecution(
      {
        functionName: 'orders',
        status: 'success',
        cacheTier: 'memory',
        durationUs: durationMs * 1_000,
        queueWaitUs: 5,
        memoryUsedBytes: 400_000,
        hostCalls: 1,
      },
      true,
    )
  })

  const start = {
    nothing() {},
    'nothing again'() {},
    metrics() {
      recording = true
      const remove = addProcessMetrics(collector.registry)
      end = async () => {
        // What scrapes cost depends on how often they come, so it is told apart.
        const start = process.cpuUsage()
        for await (const chunk of collector.registry.scrape()) Buffer.from(chunk)
        const { user, system } = process.cpuUsage(start)
        scrapesUs.push(user + system)
        recording = false
        remove()
      }
    },
    async 'cpu profile'() {
      await client.startProfiling()
      end = async () => void (await client.stopProfiling())
    },
    async 'heap sampling'() {
      await client.startProfiling({ cpu: false, heap: true })
      end = async () => void (await client.stopProfiling())
    },
  }
  let before
  process.on('message', async ({ mode, count, scrapes }) => {
    if (scrapes) process.send(scrapesUs)
    else if (mode) {
      await start[mode]()
      process.send('started')
    } else if (count) {
      before = process.cpuUsage()
      process.send('counting')
    } else {
      const { user, system } = process.cpuUsage(before)
      await end()
      end = async () => {}
      process.send(user + system)
    }
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

async function measure() {
  const child = fork(import.meta.filename)
  const reply = async (message) => {
    child.send(message)
    const [answer] = await once(child, 'message')
    return answer
  }
  const [port] = await once(child, 'message')
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  // Warmed up, because V8 compiles again when a profile begins or ends.
  const costOf = async (mode) => {
    await reply({ mode })
    await load(port, agent, WARM_UP)
    await reply({ count: true })
    await load(port, agent, REQUESTS)
    return (await reply({})) / REQUESTS
  }
  const base = []
  const ratios = Object.fromEntries(MODES.map((mode) => [mode, []]))
  let before = await costOf('nothing')
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of shuffled(MODES)) {
      const cost = await costOf(mode)
      const after = await costOf('nothing')
      // What came first is still warming up.
      if (round > 0) {
        base.push(after)
        ratios[mode].push((2 * cost) / (before + after))
      }
      before = after
    }
  }
  const scrapeUs = quantile(await reply({ scrapes: true }), 0.5)
  agent.destroy()
  child.kill()
  console.log(`CPU time of the server per request: ${quantile(base, 0.5).toFixed(1)} µs`)
  console.log(`with, median of ${ROUNDS - 1} pairs, and where half of them are`)
  for (const mode of MODES) {
    const percent = (q) => `${(100 * (quantile(ratios[mode], q) - 1)).toFixed(1)} %`
    console.log(
      `  ${mode.padEnd(16)} + ${percent(0.5).padStart(6)}   ${percent(0.25)} to ${percent(0.75)}`,
    )
  }
  const share = ((100 * scrapeUs) / 15e6).toFixed(3)
  console.log(
    `One scrape with process metrics: ${scrapeUs} µs, which is ${share} % of a core every 15 s`,
  )
}

function quantile(values, q) {
  return values.sort((a, b) => a - b)[Math.floor(values.length * q)]
}

function shuffled(items) {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

async function load(port, agent, count) {
  let left = count
  const connection = async () => {
    while (left-- > 0) {
      const sent = request({ host: '127.0.0.1', port, agent }).end()
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'end')
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
}
