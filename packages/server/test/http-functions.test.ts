import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { promisify } from 'node:util'
import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { type FunctionAttempt, type FunctionDefinition, FunctionHost } from '@nexus/functions'
import { createServer, type NexusApiOptions, nexusApi } from '@nexus/server'
import { fastify } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'

const token = 'a-token-of-some-length'
const run = promisify(execFile)

async function openHost(functions: readonly FunctionDefinition[]) {
  const attempts: FunctionAttempt[] = []
  const bus = await EventBus.open({ store: memoryStore() })
  const runtime = new WasmRuntime({ threads: 1, cacheDir: false })
  const host = new FunctionHost({ bus, runtime, onAttempt: (one) => attempts.push(one) })
  await host.bind(functions)
  return { bus, runtime, host, attempts }
}

async function serveFunctions(
  functions: readonly FunctionDefinition[],
  options: Partial<NexusApiOptions> = {},
) {
  const { bus, runtime, host, attempts } = await openHost(functions)
  const server = createServer({ bus, functions: host, ...options })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  onTestFinished(async () => {
    server.server.closeAllConnections()
    await server.close()
    await host.close({ drainTimeoutMs: 0 })
    await bus.close()
    await runtime.shutdown({ drainTimeoutMs: 0 })
  })
  const url = `http://127.0.0.1:${port}`
  const send = (path: string, init?: RequestInit) => fetch(url + path, init)
  return { bus, host, attempts, server, port, url, send }
}

const one = (source: string, http: FunctionDefinition['http'], more = {}): FunctionDefinition => ({
  name: 'f',
  source,
  http,
  ...more,
})
const echo = one(
  `export default async (request, ctx) => Response.json({
    url: request.url,
    method: request.method,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
    params: ctx.params,
  })`,
  { path: '/echo/:id' },
)

describe('functions that answer requests', () => {
  it('are answered to curl and fetch, with method, path, headers and body', async () => {
    const { url, send } = await serveFunctions([echo])
    const { stdout } = await run('curl', [
      ...['-sS', '-i', '-X', 'PUT', '-H', 'x-kind: a', '--data-binary', 'ü 1'],
      `${url}/echo/a%2Fb?x=1&x=2`,
    ])
    const [head, body] = stdout.split('\r\n\r\n') as [string, string]
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(head).toContain('content-type: application/json')
    expect(JSON.parse(body)).toMatchObject({
      url: `${url}/echo/a%2Fb?x=1&x=2`,
      method: 'PUT',
      headers: { 'x-kind': 'a' },
      body: 'ü 1',
      params: { id: 'a/b' },
    })
    const answer = await send('/echo/1')
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect((await send('/echo/1', { method: 'HEAD' })).status).toBe(200)
  })

  it('may be applications of Hono and itty-router', async () => {
    const app = (file: string, path: string): FunctionDefinition => ({
      name: file,
      file: new URL(`./functions/${file}.ts`, import.meta.url),
      http: { path },
    })
    const { send } = await serveFunctions([app('hono-app', '/shop/*'), app('itty-app', '/itty/*')])
    const hello = await send('/shop/hello/Ada')
    expect([hello.status, hello.headers.get('x-app'), await hello.text()]).toEqual([
      200,
      'hono',
      'Hello Ada',
    ])
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const made = await send('/shop/echo', { ...json, body: '{"n":1}' })
    expect([made.status, await made.json()]).toEqual([201, { n: 1 }])
    const missing = await send('/shop/none')
    expect([missing.status, await missing.json()]).toEqual([404, { missing: '/shop/none' }])
    expect(await (await send('/itty/7')).json()).toEqual({ id: '7' })
    expect((await send('/itty/7/8')).status).toBe(404)
  }, 60_000)

  it('need the token of the server, which they do not see, unless they let everyone in', async () => {
    const open = { ...echo, name: 'open', http: { path: '/open/:id', auth: 'none' as const } }
    const { send } = await serveFunctions([echo, open], { token })
    expect((await send('/echo/1')).status).toBe(401)
    expect((await send('/none')).status).toBe(401)
    const headers = { authorization: `Bearer ${token}` }
    const answer = (await (await send('/echo/1', { headers })).json()) as { headers: object }
    expect(answer.headers).not.toHaveProperty('authorization')
    const basic = { headers: { authorization: 'Basic abc' } }
    expect(await (await send('/open/1', basic)).json()).toMatchObject({
      headers: { authorization: 'Basic abc' },
    })
    const foreign = { headers: { origin: 'http://evil.example' } }
    expect((await send('/open/1', foreign)).status).toBe(403)
  })

  it('leave the routes of the server alone, and 404 and 405 to it', async () => {
    const all = one('export default () => new Response("mine")', { path: '/*', method: 'POST' })
    const { send } = await serveFunctions([all])
    expect(await (await send('/x', { method: 'POST' })).text()).toBe('mine')
    expect((await send('/healthz')).status).toBe(200)
    const wrong = await send('/x', { method: 'PUT' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await wrong.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } })
    const { send: none } = await serveFunctions([])
    const missing = await none('/x')
    expect([missing.status, await missing.json()]).toMatchObject([
      404,
      { error: { code: 'NOT_FOUND' } },
    ])
  })

  it('have a limit of their own for bodies, told before and while they arrive', async () => {
    const { send, attempts } = await serveFunctions([
      { ...echo, http: { path: '/echo/:id', bodyLimitBytes: 2_000_000 } },
      { ...echo, name: 'small', http: { path: '/small', bodyLimitBytes: 4 } },
    ])
    const body = 'x'.repeat(1_500_000)
    const large = (await (await send('/echo/1', { method: 'POST', body })).json()) as {
      body: string
    }
    expect(large).toMatchObject({ method: 'POST' })
    expect(large.body.length).toBe(1_500_000)
    expect((await send('/small', { method: 'POST', body: '1234' })).status).toBe(200)
    const told = await send('/small', { method: 'POST', body: '12345' })
    expect([told.status, await told.json()]).toMatchObject([
      413,
      { error: { code: 'BODY_TOO_LARGE' } },
    ])
    const endless = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1000)) })
    const refused = await send('/small', {
      method: 'POST',
      body: endless,
      duplex: 'half',
    } as RequestInit).then(
      ({ status }) => status,
      () => 'closed',
    )
    expect([413, 'closed']).toContain(refused)
    expect(attempts).toHaveLength(2)
  })

  it('send their headers as they are, but for those about the connection', async () => {
    const source = `export default () => new Response('x', { status: 202, statusText: 'Soon', headers: [
      ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['connection', 'close'], ['transfer-encoding', 'gzip'],
      ['content-length', '1000'], ['cache-control', 'max-age=60'], ['x-a', 'b'],
    ] })`
    const { url } = await serveFunctions([one(source, { path: '/' })])
    const { stdout } = await run('curl', ['-sS', '-i', url])
    expect(stdout).toMatch(/^HTTP\/1.1 202 Soon\r\n/)
    const lines = stdout.toLowerCase().split('\r\n')
    for (const line of [
      'set-cookie: a=1',
      'set-cookie: b=2',
      'cache-control: max-age=60',
      'x-a: b',
    ]) {
      expect(lines).toContain(line)
    }
    expect(stdout).not.toMatch(/gzip|1000|connection: close/i)
  })

  it.each([
    [
      'throws',
      'export default () => { if (Response) throw new Error("/secret/path") }',
      500,
      'FUNCTION_FAILED',
    ],
    ['returns no Response', 'export default () => void Response', 500, 'FUNCTION_FAILED'],
    [
      'never answers',
      'export default () => new Promise(() => {}).then(() => Response)',
      500,
      'FUNCTION_FAILED',
    ],
    ['loops', 'export default () => { for (;;) if (!Response) break }', 504, 'TIMEOUT'],
    [
      'sends a header with a line break',
      `export default () => {
        const response = new Response('x')
        Object.defineProperty(response, 'headers', { value: { forEach: (each) => each('b\\r\\nset-cookie: c', 'a'), getSetCookie: () => [] } })
        return response
      }`,
      500,
      'FUNCTION_FAILED',
    ],
  ])('tell nothing of why when a function %s', async (_, source, status, code) => {
    const { send } = await serveFunctions([one(source, { path: '/' }, { timeoutMs: 300 })])
    const answer = await send('/')
    const text = await answer.text()
    expect([answer.status, JSON.parse(text)]).toMatchObject([status, { error: { code } }])
    expect(text).not.toContain('secret')
  })

  it('stream, and end when the client goes away or the time limit is over', async () => {
    const source = `export default (_, ctx) => new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((done) => setTimeout(done, 1))
        controller.enqueue(new TextEncoder().encode('data: tick\\n\\n'))
      },
      cancel() { ctx.log.info('cancelled') },
    }), { headers: { 'content-type': 'text/event-stream' } })`
    const { send, attempts, port } = await serveFunctions([
      one(source, { path: '/events' }),
      { ...one(source, { path: '/short' }, { timeoutMs: 200 }), name: 'short' },
    ])
    const gone = new AbortController()
    const stream = await send('/events', { signal: gone.signal })
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    const reader = stream.body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toContain('data: tick')
    gone.abort()
    await expect
      .poll(() => attempts)
      .toMatchObject([{ status: 'success', logs: [{ message: 'cancelled' }] }])

    const cut = await send('/short')
    await expect(cut.text()).rejects.toThrow()
    await expect.poll(() => attempts.length).toBe(2)
    expect(attempts[1]).toMatchObject({ status: 'error', error: { code: 'TIMEOUT' } })

    // A reader that never reads: what it does not take is not made.
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.pause()
    socket.write('GET /short HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    await expect.poll(() => attempts.length).toBe(3)
    socket.destroy()
  })

  it('follow a reload, and no request under way is dropped', async () => {
    const version = (n: number, path: string) =>
      one(
        `export default async () => {
          await new Promise((done) => setTimeout(done, 20))
          return new Response('${n}')
        }`,
        { path },
      )
    const { send, host } = await serveFunctions([version(0, '/v')])
    const answers: Promise<[number, string]>[] = []
    for (let n = 1; n <= 5; n++) {
      for (let i = 0; i < 10; i++) {
        answers.push(send('/v').then(async (answer) => [answer.status, await answer.text()]))
      }
      await host.bind([version(n, '/v')])
    }
    const all = await Promise.all(answers)
    expect(all.every(([status, text]) => status === 200 && /^[0-5]$/.test(text))).toBe(true)
    await host.bind([version(9, '/new')])
    expect((await send('/v')).status).toBe(404)
    expect(await (await send('/new')).text()).toBe('9')
    await host.pause('f')
    expect((await send('/new')).status).toBe(503)
  })

  it('answer below the prefix of an application, and not where that is turned off', async () => {
    const { bus, host, runtime } = await openHost([
      one('export default (request) => new Response(new URL(request.url).pathname)', {
        path: '/hi',
      }),
    ])
    const app = fastify()
    app.get('/*', async () => 'own')
    await app.register(nexusApi, { prefix: '/nexus', bus, functions: host })
    await app.register(nexusApi, { prefix: '/other', bus, functions: host, httpFunctions: false })
    onTestFinished(async () => {
      await app.close()
      await host.close()
      await bus.close()
      await runtime.shutdown()
    })
    const get = async (url: string) => (await app.inject(url)).body
    expect(await get('/nexus/hi')).toBe('/nexus/hi')
    expect(await get('/other/hi')).toBe('own')
    expect(await get('/hi')).toBe('own')
  })
})
