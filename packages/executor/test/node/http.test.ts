import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { bodyOf, openRawServer, openServer } from '../net/servers.js'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000 })
let event: { port: number; rawPort: number; closedPort: number }

beforeAll(async () => {
  const port = await openServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://a')
    if (pathname === '/status') {
      response.writeHead(Number(searchParams.get('code')), { location: '/echo' })
      response.end('moved')
    } else if (pathname === '/headers') {
      response.writeHead(200, [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-many', 'one'],
        ['x-many', 'two'],
        ['content-type', 'text/plain'],
        ['etag', '"1"'],
      ] as never)
      response.end()
    } else if (pathname === '/packed') {
      response.setHeader('content-encoding', 'gzip')
      response.end(gzipSync('packed '.repeat(200)))
    } else if (pathname === '/slow') {
      response.write('first ')
      setImmediate(() => response.end('last'))
    } else if (pathname === '/large') {
      response.end(Buffer.alloc(700_000, 'x'))
    } else if (pathname === '/never') {
      request.resume()
    } else if (pathname === '/half') {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setImmediate(() => response.destroy())
    } else {
      const body = await bodyOf(request)
      const { authorization, host, 'x-own': own, 'content-type': type } = request.headers
      const sha1 = createHash('sha1').update(body).digest('hex')
      const { method, url } = request
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          method,
          url,
          authorization,
          hasHost: host !== undefined,
          own,
          type,
          sha1,
          length: body.length,
        }),
      )
    }
  })
  const rawPort = await openRawServer((socket) => socket.destroy())
  const closing = createServer().listen(0, '127.0.0.1')
  await once(closing, 'listening')
  const { port: closedPort } = closing.address() as AddressInfo
  closing.close()
  event = { port, rawPort, closedPort }
})

describe('http and https', () => {
  it.each(['http', 'http-clients'])('%s does in the sandbox what it does in Node', async (name) => {
    const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
    const compiled = await runtime.precompileFile(file)
    const { value, error } = await runtime.executeCompiledHandler(compiled, {
      event,
      capabilities: ['net:127.0.0.1:*'],
    })
    expect(error).toBeUndefined()
    const program = await import(pathToFileURL(file).href)
    const inNode = JSON.parse(JSON.stringify(await program.default(event)))
    const inSandbox = value as Record<string, unknown>
    const differences = Object.keys(inNode)
      .filter((what) => JSON.stringify(inNode[what]) !== JSON.stringify(inSandbox[what]))
      .map((what) => ({ what, inNode: inNode[what], inSandbox: inSandbox[what] }))
    expect(differences).toEqual([])
    expect(Object.keys(inSandbox)).toEqual(Object.keys(inNode))
  })

  it('say what they cannot do, and reach no host without its capability', async () => {
    const cannot = {
      'http.createServer()': 'A handler cannot be a server',
      'new https.Server()': 'A handler cannot be a server',
      "http.get({ socketPath: '/run/x.sock' })": 'A request with the option socketPath',
      "https.get({ host: 'a.example', cert: 'x' })": 'A request with the option cert',
      "http.get({ host: 'proxy', path: 'http://a.example/' })": 'A request through a proxy',
      'http.get({ agent: new (class extends http.Agent { createSocket() {} })() })':
        'An agent that opens connections of its own',
    }
    const tried = Object.keys(cannot).map((code) => `messageOf(() => ${code})`)
    const { value, error } = await runtime.executeHandler(
      `import http from 'node:http'
      import https from 'https'
      const messageOf = (run) => { try { run(); return 'nothing' } catch (error) { return error.message } }
      export default async ({ port }) => [
        await new Promise((resolve) => http.get({ host: '127.0.0.1', port }).on('error', resolve))
          .then(({ code, message }) => code + ' ' + message),
        ${tried},
      ]`,
      { event },
    )
    expect(error).toBeUndefined()
    expect(value).toEqual(
      [`PERMISSION_DENIED`, ...Object.values(cannot)].map((text) => expect.stringContaining(text)),
    )
  })
})
