import { once } from 'node:events'
import http, { get, METHODS, request, STATUS_CODES } from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** What is there and not in the types. */
type Shown = Record<'protocol' | 'keepAlive' | 'defaultPort', unknown>

const shown = (error: unknown) => {
  const { name, code, message, syscall } = error as NodeJS.ErrnoException
  return { name, code, message, syscall }
}
/** What stays the same however the answer came. */
const plain = (headers: NodeJS.Dict<string | string[]>) => {
  const { date: _, connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...rest } = headers
  return Object.fromEntries(Object.entries(rest).sort())
}

function send(
  options: http.RequestOptions | string | URL,
  body?: string | Buffer | Readable,
): Promise<unknown> {
  return new Promise((resolve) => {
    const sent = request(options, async (response) => {
      const { statusCode, statusMessage, httpVersion } = response
      const content = await text(response).catch(shown)
      const { headers, complete, aborted } = response
      resolve({
        statusCode,
        statusMessage,
        httpVersion,
        headers: plain(headers),
        content,
        complete,
        aborted,
      })
    })
    sent.on('error', (error) => resolve(shown(error)))
    if (body instanceof Readable) body.pipe(sent)
    else sent.end(body)
  })
}

function thrownBy(run: () => unknown): unknown {
  try {
    return typeof run()
  } catch (error) {
    return shown(error)
  }
}

export default async ({ port, rawPort, closedPort }: Record<string, number>) => {
  const base = `http://127.0.0.1:${port}`
  const at = { hostname: '127.0.0.1', port }
  const outcome: Record<string, unknown> = {
    text: await send(`${base}/echo?a=1&b=%20`),
    url: await send(new URL('/echo', base)),
    options: await send(
      { ...at, path: '/echo', method: 'post', headers: { 'X-Own': 'mine' } },
      'é',
    ),
    list: await send({ ...at, path: '/echo', headers: ['host', 'a', 'x-own', 'listed'] }),
    auth: await send({ ...at, path: '/echo', auth: 'name:word' }),
    authInUrl: await send(`http://name:w%40rd@127.0.0.1:${port}/echo`),
    piped: await send(
      { ...at, path: '/echo', method: 'PUT' },
      Readable.from(['ab', Buffer.from('cd')]),
    ),
    deleted: await send(
      { ...at, path: '/echo', method: 'DELETE', headers: { 'content-length': 4 } },
      'gone',
    ),
    redirect: await send(`${base}/status?code=302`),
    notModified: await send(`${base}/status?code=304`),
    missing: await send(`${base}/status?code=404`),
    head: await send({ ...at, path: '/large', method: 'HEAD' }),
    repeated: await send(`${base}/headers`),
    slow: await send(`${base}/slow`),
    refused: await send({ hostname: '127.0.0.1', port: closedPort }),
    hungUp: await send({ hostname: '127.0.0.1', port: rawPort }),
    half: await send(`${base}/half`),
    wrongProtocol: thrownBy(() => get('https://a.example/')),
    wrongProtocolHttps: thrownBy(() => https.get('http://a.example/')),
    wrongUrl: thrownBy(() => get('no url')),
    wrongPath: thrownBy(() => get({ path: '/a b' })),
    wrongMethod: thrownBy(() => get({ method: 'A B' })),
    wrongHost: thrownBy(() => get({ hostname: 5 as never })),
    wrongAgent: thrownBy(() => get({ agent: {} as never })),
    wrongHeader: thrownBy(() => get({ headers: { 'a b': '1' } })),
    wrongValue: thrownBy(() => get({ headers: { a: 'x\ny' } })),
    noValue: thrownBy(() => get({ headers: { a: undefined } })),
    wrongCallback: thrownBy(() => get(base, 5 as never)),
    methods: METHODS.filter((method) => ['GET', 'PATCH', 'MOVE'].includes(method)),
    codes: [STATUS_CODES[200], STATUS_CODES[404], STATUS_CODES[418], STATUS_CODES[503]],
    names: Object.keys(https).sort(),
    agents: [
      (new http.Agent() as unknown as Shown).protocol,
      (new https.Agent({ keepAlive: true }) as unknown as Shown).keepAlive,
      (https.globalAgent as unknown as Shown).defaultPort,
      new http.Agent().getName({ host: 'a', port: 1 }),
      new http.Agent().maxSockets === Number.POSITIVE_INFINITY,
    ],
  }

  const headers = request({ ...at, path: '/echo', method: 'POST' })
  headers.setHeader('X-Own', 'one')
  headers.setHeader('X-List', ['a', 'b'])
  headers.removeHeader('x-nothing')
  outcome.headerMethods = [
    headers.getHeader('x-own'),
    headers.getHeaders(),
    headers.getHeaderNames(),
    headers.hasHeader('X-LIST'),
    headers.headersSent,
    headers.path,
    headers.method,
    headers.host,
    headers.protocol,
    headers instanceof http.ClientRequest,
    headers instanceof http.OutgoingMessage,
  ].map((value) => JSON.parse(JSON.stringify(value).replaceAll(String(port), 'PORT')))
  headers.end('x')
  outcome.sentHeaders = thrownBy(() => headers.setHeader('late', '1'))
  const [response] = (await once(headers, 'response')) as [http.IncomingMessage]
  response.setEncoding('utf8')
  outcome.order = await new Promise((resolve) => {
    const order: string[] = []
    for (const name of ['end', 'close']) response.on(name, () => order.push(`response ${name}`))
    headers.on('close', () => {
      order.push('request close')
      setTimeout(() => resolve(order.sort()), 5)
    })
    response.on('data', (chunk) => order.push(typeof chunk))
  })

  const events = (options: http.RequestOptions, act: (sent: http.ClientRequest) => void) =>
    new Promise((resolve) => {
      const seen: unknown[] = []
      const sent = get({ ...at, ...options })
      for (const name of ['abort', 'timeout', 'error', 'close']) {
        sent.on(name, (value) => {
          seen.push(
            value instanceof Error
              ? [name, value.name, (value as { code?: string }).code, value.message]
              : name,
          )
          if (name === 'timeout') sent.destroy(new Error('too slow'))
          if (name === 'close') resolve([seen, sent.destroyed, sent.aborted])
        })
      }
      act(sent)
    })
  outcome.aborted = await events({ path: '/never' }, (sent) => sent.abort())
  outcome.destroyed = await events({ path: '/never' }, (sent) => void sent.destroy())
  outcome.destroyedWith = await events(
    { path: '/never' },
    (sent) => void sent.destroy(new Error('mine')),
  )
  outcome.timeout = await events({ path: '/never', timeout: 30 }, () => {})
  outcome.laterTimeout = await events({ path: '/never' }, (sent) => void sent.setTimeout(30))
  const controller = new AbortController()
  outcome.signal = await events({ path: '/never', signal: controller.signal }, () =>
    setTimeout(() => controller.abort(), 5),
  )

  const large = get(`${base}/large`)
  const [answer] = (await once(large, 'response')) as [http.IncomingMessage]
  let length = 0
  await pipeline(answer, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) length += chunk.length
  })
  outcome.large = length

  const continued = request({
    ...at,
    path: '/echo',
    method: 'POST',
    headers: { expect: '100-continue' },
  })
  continued.flushHeaders()
  await once(continued, 'continue')
  continued.end('late body')
  const [late] = (await once(continued, 'response')) as [http.IncomingMessage]
  outcome.continued = JSON.parse(await text(late)).length

  return outcome
}
