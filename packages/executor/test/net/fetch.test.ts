import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'
import { bodyOf, openRawServer, openServer } from './servers.js'

const HOSTS: Record<string, string> = { 'api.test': '127.0.0.1', 'other.test': '127.0.0.1' }
const resolved: string[] = []
const resolveHost = async (hostname: string) => {
  resolved.push(hostname)
  const address = HOSTS[hostname]
  if (!address) throw Object.assign(new Error(`ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' })
  return [{ address, family: 4 as const }]
}

const seen: {
  method: string
  url: string
  headers: NodeJS.Dict<string | string[]>
  body: string
  fromPort: number | undefined
}[] = []
const port = await openServer(async (request, response) => {
  const { method = '', url = '', headers } = request
  const fromPort = request.socket.remotePort
  seen.push({ method, url, headers, body: await bodyOf(request), fromPort })
  const path = new URL(url, 'http://x').pathname
  if (path === '/json') {
    response.setHeader('content-type', 'application/json')
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.end('{"n":1}')
  } else if (path === '/bytes') response.end(Buffer.from([0, 255, 128]))
  else if (path === '/large') response.end(Buffer.alloc(5000))
  else if (path === '/huge') response.end(Buffer.alloc(3 * 1024 * 1024))
  else if (path === '/bomb') {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync(Buffer.alloc(50_000_000)))
  } else if (path === '/gzip') {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync('unpacked'))
  } else if (path === '/to-other') {
    response.writeHead(Number(new URL(url, 'http://x').searchParams.get('status') ?? 302), {
      location: `http://other.test:${port}/echo`,
    })
    response.end()
  } else if (path === '/loop') {
    response.writeHead(302, { location: '/loop' })
    response.end()
  } else if (path === '/empty') {
    response.writeHead(204)
    response.end()
  } else response.end('ok')
})
const API = `http://api.test:${port}`
const granted = [`net:api.test:${port}`, `net:other.test:${port}`]

describe.each([
  ['inline', openRuntime({ threads: 0, resolveHost })],
  ['on threads', openRuntime({ threads: 1, resolveHost })],
])('fetch %s', (_, runtime) => {
  const run = (body: string, options = {}, capabilities = granted) =>
    runtime.executeHandler(handler(body), { event: { API, port }, capabilities }, options)
  const outcomeOf = async (body: string) => {
    const { value, error } = await run(body)
    expect(error).toBeUndefined()
    return value
  }

  it('gets text, JSON and bytes, with status and headers', async () => {
    expect(
      await outcomeOf(`const r = await fetch(event.API + '/json')
        return [r.status, r.ok, r.url === event.API + '/json', r.redirected, r.headers.get('content-type'), r.headers.getSetCookie(), await r.json()]`),
    ).toEqual([200, true, true, false, 'application/json', ['a=1', 'b=2'], { n: 1 }])
    expect(
      await outcomeOf(`return [...(await (await fetch(event.API + '/bytes')).bytes())]`),
    ).toEqual([0, 255, 128])
    expect(
      await outcomeOf(
        `const r = await fetch(event.API + '/empty'); return [r.status, await r.text()]`,
      ),
    ).toEqual([204, ''])
  })

  it('unpacks a compressed answer, and says nothing of how it was packed', async () => {
    expect(
      await outcomeOf(
        `const r = await fetch(event.API + '/gzip'); return [await r.text(), r.headers.has('content-encoding'), r.headers.has('content-length')]`,
      ),
    ).toEqual(['unpacked', false, false])
  })

  it('sends a method, headers and a body, but not the headers of the connection', async () => {
    await outcomeOf(`await fetch(new Request(event.API + '/echo', { method: 'POST', body: JSON.stringify({ a: 'ü' }),
      headers: { 'content-type': 'application/json', 'X-Own': '1', Host: 'evil.test', Connection: 'upgrade', 'Content-Length': '3', 'Transfer-Encoding': 'chunked' } })); return null`)
    const { method, headers, body } = seen.at(-1)!
    expect(method).toBe('POST')
    expect(body).toBe('{"a":"ü"}')
    expect(headers).toMatchObject({
      host: `api.test:${port}`,
      'x-own': '1',
      'content-type': 'application/json',
    })
    expect(headers['content-length']).toBe('10')
    expect(headers['transfer-encoding']).toBeUndefined()
  })

  it('runs several at once', async () => {
    expect(
      await outcomeOf(
        `return Promise.all([1, 2, 3, 4, 5].map(async () => (await fetch(event.API + '/json')).status))`,
      ),
    ).toEqual([200, 200, 200, 200, 200])
  })

  it('follows a redirect to a granted host, without credentials and without the body of a POST', async () => {
    expect(
      await outcomeOf(`const r = await fetch(event.API + '/to-other', { method: 'POST', body: 'x', headers: { Authorization: 'secret', Cookie: 'a=1', 'X-Own': '1' } })
        return [r.redirected, r.url, await r.text()]`),
    ).toEqual([true, `http://other.test:${port}/echo`, 'ok'])
    const { method, headers, body } = seen.at(-1)!
    expect([method, body]).toEqual(['GET', ''])
    expect(headers).toMatchObject({ 'x-own': '1' })
    for (const name of ['authorization', 'cookie', 'content-type'])
      expect(headers[name]).toBeUndefined()
  })

  it('repeats the body on a 307', async () => {
    await outcomeOf(
      `await fetch(event.API + '/to-other?status=307', { method: 'PUT', body: 'again' }); return null`,
    )
    expect(seen.at(-1)).toMatchObject({ method: 'PUT', body: 'again' })
  })

  it('hands out or refuses a redirect as asked', async () => {
    expect(
      await outcomeOf(`const r = await fetch(event.API + '/to-other', { redirect: 'manual' })
        return [r.status, r.headers.get('location'), await fetch(event.API + '/to-other', { redirect: 'error' }).catch((e) => e.name)]`),
    ).toEqual([302, `http://other.test:${port}/echo`, 'TypeError'])
  })

  it('gives up on a loop of redirects', async () => {
    const { error } = await run(`return fetch(event.API + '/loop')`)
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch: more than 20 redirects' })
  })

  it('needs a capability for the host and its port', async () => {
    for (const capabilities of [
      [],
      ['net:api.test'],
      ['net:other.test:*'],
      [`net:*.api.test:${port}`],
    ]) {
      const { error } = await run(`return fetch(event.API + '/json')`, {}, capabilities)
      expect(error).toMatchObject({ code: 'PERMISSION_DENIED', name: 'PermissionError' })
      expect(error?.message).toContain(`net:api.test:${port}`)
      expect(error?.location?.line).toBe(1)
    }
    expect(
      (await run(`return (await fetch(event.API + '/json')).status`, {}, ['net:api.test:*'])).value,
    ).toBe(200)
  })

  it('that is refused can be caught, and an error of that name alone is no refusal', async () => {
    expect((await run(`return fetch(event.API).catch((e) => e.code)`, {}, [])).value).toBe(
      'PERMISSION_DENIED',
    )
    const { error } = await run(
      `await fetch(event.API); throw Object.assign(new Error('x'), { name: 'PermissionError', code: 'PERMISSION_DENIED' })`,
    )
    expect(error?.code).toBe('EXECUTION_ERROR')
  })

  it('says no more of a failed connection than its code', async () => {
    const { value } = await run(
      `return fetch('http://gone.test/').catch((e) => [e instanceof TypeError, e.message, e.code, e.cause])`,
      {},
      ['net:gone.test'],
    )
    expect(value).toEqual([
      true,
      'fetch: no answer from http://gone.test (ENOTFOUND)',
      'ENOTFOUND',
      null,
    ])
  })

  it('stops at its limits: count, request, response, unpacked response', async () => {
    const limited = async (body: string, options: object) => {
      const { error } = await run(body, options)
      return [error?.code, error?.name, error?.message]
    }
    expect(
      await limited(`for (let i = 0; i < 4; i++) await fetch(event.API + '/json')`, {
        maxFetches: 3,
      }),
    ).toEqual(['RESOURCE_LIMIT', 'RangeError', 'fetch: this call has made its 3 fetches'])
    expect(
      await limited(`await fetch(event.API, { method: 'POST', body: 'x'.repeat(1001) })`, {
        maxRequestBytes: 1000,
      }),
    ).toEqual([
      'RESOURCE_LIMIT',
      'RangeError',
      'fetch: the body is larger than its limit of 1000 bytes',
    ])
    expect(
      await limited(`await (await fetch(event.API + '/large')).text()`, { maxResponseBytes: 4999 }),
    ).toEqual([
      'RESOURCE_LIMIT',
      'RangeError',
      'fetch: the response is larger than its limit of 4999 bytes',
    ])
    expect(
      await limited(`await (await fetch(event.API + '/bomb')).text()`, {
        maxResponseBytes: 1_000_000,
      }),
    ).toEqual([
      'RESOURCE_LIMIT',
      'RangeError',
      'fetch: the response is larger than its limit of 1000000 bytes',
    ])
    expect(
      (
        await run(
          `await fetch(event.API, { method: 'POST', body: 'x'.repeat(1000) }); return (await (await fetch(event.API + '/large')).bytes()).length`,
          { maxRequestBytes: 1000, maxResponseBytes: 5000, maxFetches: 2 },
        )
      ).value,
    ).toBe(5000)
    expect(
      (await run(`await fetch(event.API, { method: 'POST', body: 'x'.repeat(2_000_000) })`)).error
        ?.code,
    ).toBe('RESOURCE_LIMIT')
  })

  it('holds no more than the memory limit for answers that come at once', async () => {
    const { error } = await run(
      `await Promise.all(Array.from({ length: 40 }, async () => (await fetch(event.API + '/large')).bytes()))`,
      { memoryLimitBytes: 8 * 1024 * 1024, maxResponseBytes: 5000 },
    )
    expect(error).toBeUndefined()
    const { error: over } = await run(
      `await Promise.all(Array.from({ length: 8 }, async () => (await fetch(event.API + '/huge')).bytes()))`,
      { memoryLimitBytes: 4 * 1024 * 1024 },
    )
    expect(['RESOURCE_LIMIT', 'MEMORY_LIMIT']).toContain(over?.code)
  })

  it('resolves a host once for each connection', async () => {
    resolved.length = 0
    seen.length = 0
    HOSTS['once.test'] = '127.0.0.1'
    await run(
      `for (let i = 0; i < 3; i++) await (await fetch('http://once.test:' + event.port + '/json')).text()`,
      {},
      [`net:once.test:${port}`],
    )
    // The resolver is asked when a connection is opened, and for nothing else.
    const requests = seen.filter(({ headers }) => headers.host === `once.test:${port}`)
    const connections = new Set(requests.map(({ fromPort }) => fromPort))
    expect(requests).toHaveLength(3)
    expect(resolved.filter((name) => name === 'once.test')).toHaveLength(connections.size)
  })
})

describe('a server that misbehaves', () => {
  const runtime = openRuntime({
    threads: 0,
    resolveHost: async () => [{ address: '127.0.0.1', family: 4 }],
  })
  const fetchFrom = (serverPort: number, body: string, options = {}) =>
    runtime.executeHandler(
      handler(`const url = 'http://bad.test:' + event; ${body}`),
      { event: serverPort, capabilities: ['net:bad.test:*'] },
      options,
    )
  const failure = `return fetch(url).then((r) => r.text()).catch((e) => e.name + ' ' + e.message)`

  it('and never answers costs no more than the time of the call', async () => {
    const stalled = deferred()
    const silent = await openRawServer((socket) => socket.on('close', () => stalled.resolve()))
    const { error } = await fetchFrom(silent, failure, { timeoutMs: 200 })
    expect(error?.code).toBe('TIMEOUT')
    // The connection of a call that is over is closed.
    await stalled.promise
  })

  it('and stalls in the middle is given up when the handler wants', async () => {
    const slow = await openRawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    )
    const { value } = await fetchFrom(
      slow,
      `const c = new AbortController(); setTimeout(() => c.abort(), 20)
       const read = (signal) => fetch(url, { signal }).then((r) => r.text())
       const timed = read(AbortSignal.timeout(20)).catch((e) => e.name)
       return [await read(c.signal).catch((e) => e.name), await timed, await read(AbortSignal.abort('why')).catch((e) => e)]`,
    )
    expect(value).toEqual(['AbortError', 'TimeoutError', 'why'])
  })

  it('and floods is cut off', async () => {
    const closed = deferred()
    const flood = await openRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`
      const more = () => {
        while (!socket.destroyed && socket.write(chunk)) {}
      }
      socket.on('drain', more)
      socket.on('close', () => closed.resolve())
      more()
    })
    const { error } = await fetchFrom(flood, `return (await fetch(url)).text()`)
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
    await closed.promise
  })

  it('and floods with headers is cut off', async () => {
    const headers = await openRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(1000)}\r\n`)) {}
      }
      socket.on('drain', more)
      more()
    })
    expect((await fetchFrom(headers, failure)).value).toContain('TypeError fetch: no answer from')
  })

  it.each([
    [
      'promises more than it sends',
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort',
      'TypeError fetch: no answer',
    ],
    [
      'says two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort',
      'TypeError fetch: no answer',
    ],
    [
      'says a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nshort',
      'TypeError fetch: no answer',
    ],
    [
      'sends more than it promised',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort and more',
      'short',
    ],
    [
      'sends gzip that is none',
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nshort',
      'TypeError fetch: no answer',
    ],
    ['hangs up', '', 'TypeError fetch: no answer'],
    ['speaks something else', 'SSH-2.0-OpenSSH\r\n', 'TypeError fetch: no answer'],
  ])('and %s is found out', async (_, answer, expected) => {
    const server = await openRawServer((socket) => socket.once('data', () => socket.end(answer)))
    expect(String((await fetchFrom(server, failure)).value)).toContain(expected)
  })

  it('and answers when the call is over reaches no later call', async () => {
    const answers: (() => void)[] = []
    const late = await openServer((_request, response) => {
      answers.push(() => response.end('late'))
    })
    const code = handler(`
      let heard = 0
      fetch('http://bad.test:' + event.port).then(() => { heard++ }, () => { heard++ })
      await new Promise((resolve) => setTimeout(resolve, event.waitMs))
      return heard`)
    const context = { capabilities: ['net:bad.test:*'] }
    for (let i = 0; i < 3; i++) {
      const { value } = await runtime.executeHandler(code, {
        ...context,
        event: { port: late, waitMs: 10 },
      })
      expect(value).toBe(0)
    }
    const last = runtime.executeHandler(code, { ...context, event: { port: late, waitMs: 100 } })
    for (const answer of answers) answer()
    expect((await last).value).toBe(0)
  })
})

function deferred() {
  let resolve!: () => void
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
