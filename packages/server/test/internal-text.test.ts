import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { EventBus, EventBusError, memoryStore } from '@nexus/event-bus'
import { createServer, type NexusApiOptions } from '@nexus/server'
import { RecordingLogger } from '@nexus/test-kit'
import type { InjectOptions } from 'fastify'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type Breakable, breakable } from './breakable.js'
import { everyPart, hubSecret } from './parts.js'
import { type Route, routesOf } from './routes.js'

/** What an error inside may say: no part of it is for a client. */
const inside = ['/srv/nexus-data/private', 'db-7.internal.example', 'hunter2-secret']
const marker = `open ${inside[0]} at ${inside[1]}:6379 with password ${inside[2]} failed`

/** A request that a route answers well, and the parts whose failure fails it. */
interface Row {
  url?: string
  headers?: Record<string, string>
  body?: string
  status: number
  fails: readonly PartName[]
}

const json = { 'content-type': 'application/json' }
const event = '{"specversion":"1.0","id":"n","source":"/s","type":"a"}'
const signature = createHmac('sha256', hubSecret).update('{}').digest('hex')

/** A row for every route that there is. A new route without one fails the tests. */
const table: Record<string, Row> = {
  'GET /healthz': { status: 200, fails: [] },
  'GET /readyz': { status: 200, fails: ['ready'] },
  'POST /api/webhook': {
    headers: { ...json, 'x-nexus-event-type': 'a' },
    body: '{}',
    status: 202,
    fails: ['bus', 'tracing'],
  },
  'POST /api/webhooks/:name': {
    url: '/api/webhooks/hub',
    headers: { ...json, 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${signature}` },
    body: '{}',
    status: 202,
    fails: ['bus', 'tracing'],
  },
  'POST /api/events': {
    headers: { 'content-type': 'application/cloudevents+json' },
    body: event,
    status: 202,
    fails: ['bus', 'tracing'],
  },
  'GET /api/events': { status: 200, fails: ['bus'] },
  'GET /api/events/:id': { url: '/api/events/e-1', status: 200, fails: ['bus'] },
  'POST /api/events/:id/replay': { url: '/api/events/e-1/replay', status: 202, fails: ['bus'] },
  'DELETE /api/events/:id/data': {
    url: '/api/events/e-1/data',
    status: 200,
    fails: ['bus', 'functions'],
  },
  'GET /api/dead-letters': { status: 200, fails: ['bus'] },
  'POST /api/dead-letters/redrive': {
    url: '/api/dead-letters/redrive?all=true',
    status: 202,
    fails: ['bus'],
  },
  'DELETE /api/dead-letters': {
    url: '/api/dead-letters?all=true',
    status: 200,
    fails: ['bus'],
  },
  'GET /api/functions': { status: 200, fails: ['functions'] },
  'POST /api/functions/:name/invoke': {
    url: '/api/functions/total/invoke',
    headers: json,
    body: '{}',
    status: 200,
    fails: ['functions'],
  },
  'POST /api/functions/:name/pause': {
    url: '/api/functions/total/pause',
    status: 200,
    fails: ['functions'],
  },
  'POST /api/functions/:name/resume': {
    url: '/api/functions/total/resume',
    status: 200,
    fails: ['functions'],
  },
  'GET /api/suspensions': { status: 200, fails: ['functions'] },
  'GET /api/suspensions/:id': { url: '/api/suspensions/s-1', status: 200, fails: ['functions'] },
  'GET /api/suspensions/:id/image': {
    url: '/api/suspensions/s-1/image',
    status: 200,
    fails: ['functions'],
  },
  'POST /api/suspensions/:id/resume': {
    url: '/api/suspensions/s-1/resume',
    headers: json,
    body: '{"value":1}',
    status: 202,
    fails: ['functions'],
  },
  'DELETE /api/suspensions/:id': {
    url: '/api/suspensions/s-1',
    status: 202,
    fails: ['functions'],
  },
  'GET /resume/:token': { url: '/resume/t-1', status: 200, fails: ['functions'] },
  'POST /resume/:token': { url: '/resume/t-1', status: 200, fails: ['functions'] },
  'GET /api/metrics': { status: 200, fails: ['bus', 'metrics'] },
  'GET /metrics': { status: 200, fails: ['metrics'] },
  'POST /api/profile': {
    url: '/api/profile?function=total',
    status: 200,
    fails: ['profiler', 'functions'],
  },
  // Without a token nothing is asked.
  'POST /api/heap-snapshot': { status: 403, fails: [] },
  'GET /api/optimizations': { status: 200, fails: ['performance', 'client'] },
  'POST /api/optimizations/:id/apply': {
    url: '/api/optimizations/o-1/apply',
    status: 200,
    fails: ['performance', 'client'],
  },
  'POST /api/optimizations/:id/undo': {
    url: '/api/optimizations/o-1/undo',
    status: 200,
    fails: ['performance', 'client'],
  },
  'GET /api/performance': { status: 200, fails: ['performance', 'client'] },
  'POST /api/performance': {
    headers: json,
    body: '{"metrics":[]}',
    status: 204,
    fails: ['performance', 'client'],
  },
  'OPTIONS /api/performance': { status: 204, fails: [] },
}

function rowOf({ method, url }: Route): Row {
  const row = table[`${method === 'HEAD' ? 'GET' : method} ${url}`]
  if (row) return row
  throw new Error(`${method} ${url} has no row: say what it is asked and which parts it asks`)
}

function requestOf(route: Route): InjectOptions {
  const { url = route.url, headers, body } = rowOf(route)
  return {
    method: route.method as NonNullable<InjectOptions['method']>,
    url,
    ...(headers && { headers }),
    ...(body !== undefined && { payload: body }),
  }
}

/** What can come out of a part that fails. */
const failures: Record<string, () => unknown> = {
  'an error': () => new Error(marker, { cause: new Error(marker) }),
  'an error that looks like an answer': () =>
    Object.assign(new Error(marker), {
      ...{ statusCode: 400, status: 404, expose: true, code: marker },
      headers: { 'x-inside': marker, location: marker },
    }),
  'an error that looks like the framework': () =>
    Object.assign(new Error(marker), { code: `FST_${marker}`, statusCode: 200 }),
  'an error of the system': () =>
    Object.assign(new Error(marker), { code: 'ENOENT', path: marker, errno: -2, syscall: marker }),
  'an error of the store': () => new EventBusError('STORE_FAILED', marker),
  'several errors': () => new AggregateError([new Error(marker)], marker),
  'a text': () => marker,
  nothing: () => undefined,
  null: () => null,
  'a symbol': () => Symbol(marker),
  'an object whose fields throw': () =>
    Object.create(null, {
      message: {
        get() {
          throw new Error(marker)
        },
      },
      code: {
        get() {
          throw new Error(marker)
        },
      },
    }),
  'a proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable(new Error(marker), {})
    revoke()
    return proxy
  },
}

type PartName = 'bus' | 'functions' | 'metrics' | 'profiler' | 'performance' | 'client' | Small
type Small = 'tracing' | 'ready'

/** A server with every route, each of whose parts can be broken. */
async function breakableServer(options: Partial<NexusApiOptions> = {}) {
  const store = memoryStore()
  const realBus = await EventBus.open({ store })
  await realBus.publish({ type: 'a', id: 'e-1' })
  const { options: all, work } = everyPart()
  const client = breakable(work)
  const of = {
    bus: breakable(realBus),
    functions: breakable({
      names: ['total'],
      functions: [],
      erase: async () => true,
      invoke: async () => ({ function: 'total', status: 'succeeded', value: 1 }),
      pause: async () => ({ at: '', by: 'operator' }),
      resume: async () => {},
      suspensions: {
        list: async () => ({ suspensions: [] }),
        get: async () => ({ suspensionId: 's-1' }),
        export: async () => Buffer.from('image'),
        resume: async () => ({ function: 'total' }),
        cancel: async () => ({ function: 'total' }),
        openLink: async () => ({ name: 'approval', waits: { function: 'total' } }),
        resumeByLink: async () => ({ function: 'total' }),
      },
    }),
    metrics: breakable(all.metrics),
    profiler: breakable(all.profiler),
    performance: breakable({ client: async () => client.part, look: async () => client.part }),
    tracing: breakable({
      request: (_name: string, _headers: object, run: (span: object) => unknown) =>
        run({ setAttributes: () => {} }),
      publish: (carrying: object, run: (carrying: object) => unknown) => run(carrying),
    }),
    ready: breakable(() => true),
  }
  const parts = Object.fromEntries(Object.entries(of).map(([name, { part }]) => [name, part]))
  const onFault = vi.fn()
  const server = createServer({ ...all, ...parts, onFault, ...options } as NexusApiOptions)
  await server.ready()
  onTestFinished(async () => {
    await server.close()
    await realBus.close()
  })
  return { server, onFault, parts: { ...of, client } as Record<PartName, Breakable<object>> }
}

const { options } = everyPart()
const routes = await routesOf({ bus: await EventBus.open({ store: memoryStore() }), ...options })

function assertSaysNothing(answer: { headers: object; body: string }): void {
  const all = JSON.stringify(answer.headers) + answer.body
  for (const part of [...inside, marker]) expect(all).not.toContain(part)
  expect(all).not.toMatch(/node_modules|\bat .*:\d+:\d+|FST_|Cannot read propert/)
}

function assertRefusal(method: string, answer: { headers: object; body: string }): string {
  assertSaysNothing(answer)
  if (method === 'HEAD') return ''
  const { error, ...more } = JSON.parse(answer.body)
  expect(more).toEqual({})
  expect(error).toEqual({
    code: expect.stringMatching(/^[A-Z_]+$/),
    message: expect.stringMatching(/^[A-Z].*\.$/s),
  })
  return error.code
}

it('knows every route, with and without the parts that make more of them', async () => {
  const bus = await EventBus.open({ store: memoryStore() })
  const without = await routesOf({ bus })
  const off = await routesOf({ bus, ...options, pages: false, profiler: false })
  for (const route of [...routes, ...without, ...off]) rowOf(route)
  const known = new Set(routes.map(({ method, url }) => `${method} ${url}`))
  expect(Object.keys(table).filter((key) => !known.has(key))).toEqual([])
})

it.each(routes)('$method $url says nothing of what fails inside', async (route) => {
  const { server, parts, onFault } = await breakableServer()
  const { status, fails } = rowOf(route)
  expect((await server.inject(requestOf(route))).statusCode).toBe(status)
  for (const [name, part] of Object.entries(parts)) {
    for (const [failure, make] of Object.entries(failures)) {
      for (const how of name === 'bus' ? (['throws', 'rejects'] as const) : ['throws' as const]) {
        const told = onFault.mock.calls.length
        part.breakWith(make, how)
        const answer = await server.inject(requestOf(route))
        part.mend()
        const context = `${name} ${how} ${failure}`
        const isBroken = fails.includes(name as PartName)
        expect(answer.statusCode, context).toBe(isBroken ? 500 : status)
        assertSaysNothing(answer)
        if (!isBroken) continue
        const code = assertRefusal(route.method, answer)
        if (code !== '') expect(code, context).toBe('INTERNAL_ERROR')
        expect(onFault.mock.calls.slice(told), context).toEqual([[expect.any(Error)]])
      }
    }
  }
})

/** What passes by itself; its message may name the server of the bus. */
const passing = ['BACKPRESSURE', 'CLOSED', 'STORE_EMPTIED', 'STORE_UNAVAILABLE'] as const

it.each(routes.filter((route) => rowOf(route).fails.includes('bus')))(
  '$method $url names no server when the bus is away',
  async (route) => {
    const { server, parts, onFault } = await breakableServer()
    for (const code of passing) {
      parts.bus.breakWith(() => new EventBusError(code, marker, { cause: new Error(marker) }))
      const answer = await server.inject(requestOf(route))
      expect(answer.statusCode).toBe(503)
      const answered = assertRefusal(route.method, answer)
      if (answered !== '') expect(answered).toBe(code)
    }
    expect(onFault).not.toHaveBeenCalled()
  },
)

it('answers the same when telling of the failure fails too', async () => {
  const logger = new RecordingLogger()
  const broken = [
    () => {
      throw new Error(marker)
    },
    () => {
      throw Object.create(null)
    },
    async () => {
      throw new Error(marker)
    },
  ]
  for (const onFault of broken) {
    const { server, parts } = await breakableServer({ onFault, logger })
    parts.bus.breakWith(failures['an error']!)
    const answer = await server.inject('/api/events')
    expect(answer.statusCode).toBe(500)
    expect(assertRefusal('GET', answer)).toBe('INTERNAL_ERROR')
  }
  const failed = () => logger.messages('error').filter((message) => message === 'onFault failed')
  await expect.poll(() => failed().length).toBe(broken.length)
})

it('cuts an answer that fails in its middle, and tells who runs the server', async () => {
  const store = memoryStore()
  const list = store.list.bind(store)
  Object.assign(store, {
    list: async (query: { cursor?: string | undefined }) => {
      if (query.cursor !== undefined) throw new Error(marker)
      return list(query as never)
    },
  })
  const bus = await EventBus.open({ store })
  onTestFinished(() => bus.close())
  await bus.publishBatch(Array.from({ length: 300 }, () => ({ type: 'a' })))
  const onFault = vi.fn()
  const server = createServer({ bus, onFault })
  onTestFinished(() => server.close())
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(`${url}/api/events?limit=300`)
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
  expect(onFault.mock.calls).toEqual([[expect.objectContaining({ message: marker })]])
})

// Heap snapshots are refused before a body is looked at: this server has no token.
const withBody = routes.filter(
  ({ method, url }) => method === 'POST' && url !== '/api/heap-snapshot',
)

it.each(withBody)(
  '$method $url refuses what is too large before it asks any part',
  async (route) => {
    const { server, parts, onFault } = await breakableServer({ bodyLimitBytes: 1000 })
    for (const part of Object.values(parts)) part.breakWith(failures['an error']!)
    const request = requestOf(route)
    const headers = { ...(request.headers as Record<string, string>), ...json }
    const answer = await server.inject({ ...request, headers, payload: ' '.repeat(70_000) })
    expect(answer.statusCode).toBe(413)
    expect(assertRefusal(route.method, answer)).toBe('BODY_TOO_LARGE')
    expect(onFault).not.toHaveBeenCalled()
  },
)

it.each([
  ['a body that stalls', 'Content-Length: 10\r\n', 408, 'REQUEST_TIMEOUT'],
  ['headers without end', `X: ${'x'.repeat(20_000)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ['a broken header', 'X: a\0b\r\n', 400, 'BAD_REQUEST'],
])('refuses %s of every route in one shape', async (_, header, status, code) => {
  const { server, parts, onFault } = await breakableServer({ bodyTimeoutMs: 300 })
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  for (const part of Object.values(parts)) part.breakWith(failures['an error']!)
  const hasBody = header.startsWith('Content-Length')
  await Promise.all(
    (hasBody ? withBody : routes).map(async (route) => {
      const { url } = requestOf(route)
      const head = `${route.method} ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`
      const answer = await exchange(Number(port), `${head}${header}\r\n`)
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      const [headers = '', body = ''] = answer.split('\r\n\r\n')
      // A request whose head is broken has no method yet.
      expect(assertRefusal(hasBody ? route.method : '', { headers: { headers }, body })).toBe(code)
    }),
  )
  expect(onFault).not.toHaveBeenCalled()
})

/** Sends these bytes, and gives what comes until the server closes the connection. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('latin1').on('data', (part) => {
      received += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}
