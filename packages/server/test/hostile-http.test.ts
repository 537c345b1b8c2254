import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { type ListQuery, memoryStore } from '@nexus/event-bus'
import { expect, it } from 'vitest'
import { everyPart } from './parts.js'
import { routesOf } from './routes.js'
import { serve } from './serve.js'

const host = 'Host: 127.0.0.1\r\n'
const get = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\n${host}${more}Connection: close\r\n\r\n`
const post = (headers: string, body: string) =>
  `POST /api/webhook HTTP/1.1\r\n${host}Content-Type: application/json\r\n${headers}Connection: close\r\n\r\n${body}`

interface Answer {
  status: number
  headers: string
  body: string
}

/** Sends these bytes, and gives what comes until the server closes the connection. */
async function exchange(port: number, bytes: string): Promise<Answer[]> {
  const text = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('latin1').on('data', (part) => {
      received += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.write(Buffer.from(bytes, 'latin1'))
  })
  return [...answersOf(text)]
}

function* answersOf(text: string): Generator<Answer> {
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n') + 4
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const chunks = /transfer-encoding: chunked/i.test(head)
      ? rest.indexOf('\r\n0\r\n\r\n', end)
      : -1
    const next = chunks === -1 ? end + length : chunks + 7
    const raw = rest.slice(end, next)
    const body = chunks === -1 ? raw : raw.replace(/(^|\r\n)[0-9a-f]+\r\n/gi, '').trim()
    yield { status, headers: head, body }
    rest = rest.slice(next)
  }
}

const cases: [name: string, bytes: string, status: number][] = [
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /healthz\r\n\r\n', 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', 403],
  ['HTTP/1.0', `GET /healthz HTTP/1.0\r\n${host}\r\n`, 200],
  ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['two Hosts', get('/healthz', 'Host: localhost\r\n'), 400],
  ['another Host', get('/healthz').replace('127.0.0.1', 'evil.example'), 403],
  ['one content-length twice', post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'), 400],
  ['two content-lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), 400],
  [
    'a length and chunks',
    post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  ['an encoding that is not chunked', post('Transfer-Encoding: gzip\r\n', 'abc'), 400],
  ['a negative length', post('Content-Length: -1\r\n', '{}'), 400],
  ['a length in hex', post('Content-Length: 0x2\r\n', '{}'), 400],
  ['a length beyond 64 bits', post(`Content-Length: ${'9'.repeat(30)}\r\n`, '{}'), 400],
  ['a length beyond the limit', post('Content-Length: 9999999999\r\n', '{}'), 413],
  ['chunks of garbage', post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n'), 400],
  [
    'a chunk beyond 64 bits',
    post('Transfer-Encoding: chunked\r\n', `${'f'.repeat(20)}\r\n{}\r\n`),
    400,
  ],
  [
    'an endless chunk extension',
    post('Transfer-Encoding: chunked\r\n', `2;${'x'.repeat(20_000)}`),
    400,
  ],
  [
    'chunks beyond the limit',
    post('Transfer-Encoding: chunked\r\n', `200000\r\n${' '.repeat(0x200000)}\r\n0\r\n\r\n`),
    413,
  ],
  ['too many headers', get('/healthz', 'a: b\r\n'.repeat(500)), 431],
  ['a flood of headers', get('/healthz', 'a: b\r\n'.repeat(5000)), 431],
  ['an endless header', get('/healthz', `X: ${'x'.repeat(20_000)}\r\n`), 431],
  ['an address that is too long', get(`/${'a'.repeat(20_000)}`), 431],
  ['an id that is too long', get(`/api/events/${'a'.repeat(3000)}`), 414],
  ['an unknown address that is long', get(`/${'a'.repeat(15_000)}`), 404],
  ['a broken escape', get('/api/events/%zz'), 400],
  ['an escape that is not UTF-8', get('/api/events/%e4'), 400],
  ['an escaped NUL', get('/api/events/%00'), 404],
  ['an escaped slash', get('/api%2fevents'), 404],
  ['a path that leads out', get('/api/../../etc/passwd'), 404],
  ['an escaped path that leads out', get('/api/events/..%2f..%2fetc%2fpasswd'), 404],
  ['raw bytes in the path', get('/caf\xc3\xa9'), 400],
  ['a folded header', get('/healthz', 'X: a\r\n b\r\n'), 400],
  ['lines that end with LF alone', get('/healthz').replaceAll('\r\n', '\n'), 400],
  ['NUL in a header', get('/healthz', 'X: a\0b\r\n'), 400],
  ['a method that does not exist', get('/healthz').replace('GET', 'FOO'), 400],
  ['CONNECT', get('example.com:80').replace('GET', 'CONNECT'), 405],
  ['CONNECT with what should go through', `${get('a:1').replace('GET', 'CONNECT')}\x16\x03`, 405],
  ['an address of another host', get('http://evil.example/healthz'), 400],
  ['an address of another port', get('http://127.0.0.1:1/healthz'), 400],
  ['an address that is none', get('healthz'), 400],
  ['its own address', get('http://127.0.0.1/healthz'), 200],
  ['a path that looks like an address', get('//evil.example/healthz'), 404],
  ['OPTIONS of everything', get('*').replace('GET', 'OPTIONS'), 404],
  [
    'an expectation that nothing meets',
    post('Expect: 200-maybe\r\nContent-Length: 2\r\n', '{}'),
    417,
  ],
  [
    'no content type at all',
    post('Content-Length: 2\r\n', '{}').replace('application/json', ';;;'),
    415,
  ],
]

it.each(cases)('answers %s in the shape of all refusals', async (_, bytes, status) => {
  const { port, send, bus } = await serve()
  const answers = await exchange(port, bytes)
  expect(answers.map((answer) => answer.status)).toEqual([status])
  for (const answer of answers) assertPlain(answer)
  expect((await bus.list()).total).toBe(0)
  expect((await send('/healthz')).status).toBe(200)
})

/** A refusal has its shape, and no answer says where the program is or what it was doing. */
function assertPlain({ status, headers, body }: Answer): void {
  expect(headers + body).not.toMatch(/node_modules|\bat .*:\d+:\d+|FST_|HPE_|ERR_HTTP|file:\/\//)
  expect(headers + body).not.toContain(process.cwd())
  if (status < 400) return
  expect(headers).toMatch(/content-type: application\/json; charset=utf-8/i)
  expect(headers).toMatch(/x-content-type-options: nosniff/i)
  expect(JSON.parse(body)).toEqual({
    error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/\S/) },
  })
}

it('answers what came whole before it refuses what came after it', async () => {
  const { port, bus } = await serve()
  const body = '{"specversion":"1.0","id":"1","source":"/s","type":"a"}'
  const headers = `Content-Type: application/cloudevents+json\r\nContent-Length: ${body.length}\r\n`
  const event = `POST /api/events HTTP/1.1\r\n${host}${headers}\r\n${body}`
  const list = `GET /api/events HTTP/1.1\r\n${host}\r\n`
  const answers = await exchange(port, `${event}${list}${event}GARBAGE\r\n\r\n${event}`)
  expect(answers.map(({ status }) => status)).toEqual([202, 200, 202, 400])
  expect(JSON.parse(answers[2]!.body)).toEqual({ id: '1', duplicate: true })
  expect((await bus.list()).total).toBe(1)
})

it('takes a body that waits for 100 Continue', async () => {
  const { port } = await serve()
  const answers = await exchange(
    port,
    post('Expect: 100-continue\r\nContent-Length: 12\r\n', '{"type":"a"}'),
  )
  expect(answers.map(({ status }) => status)).toEqual([100, 202])
})

it('ends connections that send nothing, headers byte by byte, or a body byte by byte', async () => {
  const { port } = await serve({ bodyTimeoutMs: 300 })
  const drip = (start: string) =>
    new Promise<string>((resolve) => {
      let received = ''
      const socket = connect(port, '127.0.0.1')
      socket.write(start)
      const timer = setInterval(() => socket.write(start && 'x'), 20)
      socket.setEncoding('utf8').on('data', (part) => {
        received += part
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        clearInterval(timer)
        resolve(received.slice(0, 12))
      })
    })
  const starts = ['', `GET / HTTP/1.1\r\n${host}X: `, post('Content-Length: 100000\r\n', '')]
  expect(await Promise.all(starts.map(drip))).toEqual(Array(3).fill('HTTP/1.1 408'))
})

it('has an answer of its own for every method on every route', async () => {
  const { options } = everyPart()
  const { bus, port } = await serve(options)
  const routes = await routesOf({ ...everyPart().options, bus })
  expect(routes.length).toBeGreaterThan(20)
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    for (const url of new Set(routes.map((route) => route.url))) {
      const line = `${method} ${url.replace(/:\w+/, 'x')} HTTP/1.1`
      const [answer, ...more] = await exchange(port, `${line}\r\n${host}Connection: close\r\n\r\n`)
      expect(more, line).toEqual([])
      if (method === 'HEAD') expect(answer!.body).toBe('')
      else assertPlain(answer!)
      const known = routes.some((route) => route.url === url && route.method === method)
      if (known) expect(answer!.body, line).not.toContain('"NOT_FOUND"')
      else if (method !== 'HEAD') expect(answer!.status, line).toBe(method === 'QUERY' ? 400 : 404)
    }
  }
}, 60_000)

it('answers on a connection that is open while the server stops', async () => {
  let release = () => {}
  const store = memoryStore()
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const list = store.list.bind(store)
  Object.assign(store, {
    list: (query: ListQuery) => (query.cursor ? held.then(() => list(query)) : list(query)),
  })
  const { bus, port, server } = await serve({}, { store })
  await bus.publishBatch(Array.from({ length: 150 }, () => ({ type: 'a' })))
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('latin1').on('data', (part) => {
    received += part
  })
  socket.write(`GET /api/events?limit=150 HTTP/1.1\r\n${host}\r\n`)
  await expect.poll(() => received).toContain('{"events":[')
  const closed = server.close()
  await expect.poll(() => server.server.listening).toBe(false)
  socket.write(`GET /none HTTP/1.1\r\n${host}\r\n`)
  await once(server.server, 'request')
  release()
  await closed
  await once(socket, 'close')
  const answers = [...answersOf(received)]
  expect(answers.map(({ status }) => status)).toEqual([200, 404])
  for (const answer of answers) assertPlain(answer)
})

it.each(['Content-Length: 1000', 'Transfer-Encoding: chunked'])(
  'answers a GET that announces a body once, and does not wait for the body: %s',
  async (header) => {
    const { port } = await serve()
    const answers = await exchange(port, `GET /healthz HTTP/1.1\r\n${host}${header}\r\n\r\n`)
    expect(answers.map(({ status }) => status)).toEqual([200])
  },
)
