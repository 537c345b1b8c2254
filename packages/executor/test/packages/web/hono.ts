import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { jwt, sign } from 'hono/jwt'
import { logger } from 'hono/logger'
import { prettyJSON } from 'hono/pretty-json'
import { secureHeaders } from 'hono/secure-headers'
import { stream, streamSSE } from 'hono/streaming'
import { timing } from 'hono/timing'

const secret = 'a secret of some length, for HS256'
const lines: string[] = []

const app = new Hono()
app.use(logger((line) => void lines.push(line.replace(/\d+m?s/, ''))))
app.use('/cors/*', cors({ origin: 'https://page.example', credentials: true, maxAge: 60 }))
app.use('/etag/*', etag())
app.use('/safe/*', secureHeaders(), prettyJSON())
app.use('/secret/*', jwt({ secret, alg: 'HS256' }))
app.use('/packed/*', compress())
app.use('/all/*', cors(), etag(), secureHeaders(), prettyJSON(), timing({ total: false }))
for (const path of ['cors', 'etag', 'safe', 'all']) {
  app.get(`/${path}/text`, (c) => c.text(`text of ${path}`))
  app.get(`/${path}/json`, (c) => c.json({ path, query: c.req.query('q') }))
  app.post(`/${path}/echo`, async (c) => c.body(await c.req.arrayBuffer()))
}
app.get('/secret/me', (c) => c.json(c.get('jwtPayload')))
app.get('/packed/text', (c) => c.text('packed '.repeat(500)))
app.get('/stream', (c) =>
  stream(c, async (out) => {
    for (const piece of ['one ', 'two ', 'three']) await out.write(piece)
  }),
)
app.get('/events', (c) =>
  streamSSE(c, async (out) => {
    for (const n of [1, 2]) await out.writeSSE({ event: 'n', data: String(n), id: `${n}` })
  }),
)
app.post('/form', async (c) => {
  const { name, file } = await c.req.parseBody<{ name: string; file: File }>()
  return c.json({ name, file: [file.name, file.type, await file.text()] })
})
app.onError((error, c) =>
  error instanceof HTTPException
    ? error.getResponse()
    : c.text(`${error.name}: ${error.message}`, 500),
)
app.get('/throws', () => {
  throw new RangeError('broken')
})

async function shown(response: Response) {
  const headers = [...response.headers].filter(([name]) => name !== 'date')
  const isPacked = response.headers.get('content-encoding') === 'gzip'
  const body = isPacked
    ? response.body!.pipeThrough(new DecompressionStream('gzip'))
    : response.body
  return { status: response.status, headers, body: await new Response(body).text() }
}

export default async () => {
  const get = async (path: string, init?: RequestInit) =>
    shown(await app.request(`https://api.example${path}`, init))
  const token = await sign({ sub: 'me', exp: 4_000_000_000 }, secret, 'HS256')
  const form = new FormData()
  form.set('name', 'Ünï')
  form.set('file', new File(['content'], 'a.txt', { type: 'text/plain' }))
  const answers: Record<string, unknown> = {}
  for (const part of ['cors', 'etag', 'safe', 'all']) {
    answers[`${part} text`] = await get(`/${part}/text`, {
      headers: { origin: 'https://page.example' },
    })
    answers[`${part} json`] = await get(`/${part}/json?q=1&pretty`)
    answers[`${part} echo`] = await get(`/${part}/echo`, { method: 'POST', body: 'sent' })
    answers[`${part} preflight`] = await get(`/${part}/text`, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-method': 'GET' },
    })
  }
  const tag = (await app.request('https://api.example/etag/text')).headers.get('etag')!
  return {
    ...answers,
    notModified: await get('/etag/text', { headers: { 'if-none-match': tag } }),
    allowed: await get('/secret/me', { headers: { authorization: `Bearer ${token}` } }),
    refused: await get('/secret/me', { headers: { authorization: `Bearer ${token}x` } }),
    anonymous: await get('/secret/me'),
    packed: await get('/packed/text', { headers: { 'accept-encoding': 'gzip' } }),
    stream: await get('/stream'),
    events: await get('/events'),
    form: await get('/form', { method: 'POST', body: form }),
    throws: await get('/throws'),
    missing: await get('/nowhere'),
    lines,
  }
}
