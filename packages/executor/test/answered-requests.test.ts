import { type IncomingRequest, type ResponsePart, WasmRuntime } from '@nexus/executor'
import { describe, expect, it, onTestFinished } from 'vitest'

async function open(threads = 0) {
  const runtime = new WasmRuntime({ threads, cacheDir: false })
  onTestFinished(() => runtime.shutdown({ drainTimeoutMs: 0 }))
  const ask = async (
    code: string,
    request: Partial<IncomingRequest> = {},
    more: { timeoutMs?: number; after?: (part: ResponsePart, n: number) => void } = {},
  ) => {
    const parts: ResponsePart[] = []
    const event: IncomingRequest = { method: 'GET', url: 'http://a.test/', headers: [], ...request }
    const result = await runtime.executeHandler(
      code,
      {
        event,
        env: { REGION: 'eu' },
        respond: async (part) => {
          parts.push(part)
          more.after?.(part, parts.length)
        },
      },
      { timeoutMs: more.timeoutMs ?? 2_000 },
    )
    const body = Buffer.concat(parts.map(({ bytes }) => bytes ?? new Uint8Array())).toString()
    return { result, parts, head: parts[0]?.head, body }
  }
  return { runtime, ask }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe.each([0, 1])('a handler of requests on %d threads', (threads) => {
  it('gets a Request, and its Response comes in one part', async () => {
    const { ask } = await open(threads)
    const { head, body, parts, result } = await ask(
      `export default async (request, ctx) => Response.json(
        { method: request.method, url: request.url, type: request.headers.get('x-kind'), body: await request.text(), id: ctx.params.id },
        { status: 201, statusText: 'Made', headers: { 'x-region': ctx.env.REGION } },
      )`,
      {
        method: 'POST',
        url: 'http://a.test/orders/7?full=1',
        headers: [
          ['x-kind', 'a'],
          ['x-kind', 'b'],
        ],
        body: base64('ü 1'),
        params: { id: '7' },
      },
    )
    expect(result.error).toBe(undefined)
    expect(JSON.parse(body)).toEqual({
      method: 'POST',
      url: 'http://a.test/orders/7?full=1',
      type: 'a, b',
      body: 'ü 1',
      id: '7',
    })
    expect(head).toMatchObject({ status: 201, statusText: 'Made' })
    expect(Object.fromEntries(head!.headers)).toEqual({
      'content-type': 'application/json',
      'x-region': 'eu',
    })
    expect(parts).toHaveLength(1)
  })

  it('streams its Response, part by part', async () => {
    const { ask } = await open(threads)
    const { parts, head, body } = await ask(`export default () => {
      let n = 0
      return new Response(new ReadableStream({
        async pull(controller) {
          await new Promise((done) => setTimeout(done, 5))
          if (n === 3) controller.close()
          else controller.enqueue(new TextEncoder().encode('part ' + n++ + ';'))
        },
      }), { headers: { 'content-type': 'text/event-stream' } })
    }`)
    expect(head!.headers).toEqual([['content-type', 'text/event-stream']])
    expect(parts[0]).not.toHaveProperty('bytes')
    expect(body).toBe('part 0;part 1;part 2;')
    expect(parts.length).toBeGreaterThan(3)
  })
})

describe('a handler of requests', () => {
  it('may be an application with fetch, which gets the environment', async () => {
    const { ask } = await open()
    const { body } = await ask(
      'export default { greeting: "hi", fetch(request, env, ctx) { return new Response(this.greeting + env.REGION + typeof ctx.log.info) } }',
    )
    expect(body).toBe('hieufunction')
  })

  it('keeps each cookie a header of its own, and answers with no body', async () => {
    const { ask } = await open()
    const { head, parts } = await ask(`export default () => {
      const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['vary', 'x'], ['vary', 'y']])
      return new Response(null, { status: 204, headers })
    }`)
    expect(head).toMatchObject({
      status: 204,
      headers: [
        ['vary', 'x, y'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    })
    expect(parts).toEqual([{ head, bytes: new Uint8Array() }])
  })

  it('starts pristine for each request', async () => {
    const { ask } = await open()
    const code = 'let n = 0; export default () => new Response(String(++n))'
    expect([(await ask(code)).body, (await ask(code)).body]).toEqual(['1', '1'])
  })

  it.each([
    ['nothing', 'void Response', /got undefined/],
    ['null', '(Response, null)', /got null/],
    ['an object', '({ status: Response.length })', /got object/],
    ['a text, and its code names no Response', '"x"', /its code names none/],
    ['what only looks like a Response', 'Object.create(Response.prototype)', /private|field|brand/],
  ])('fails when it returns %s', async (_, value, message) => {
    const { ask } = await open()
    const { result, parts } = await ask(`export default () => ${value}`)
    expect(result.error?.message).toMatch(message)
    expect(parts).toEqual([])
  })

  it('fails with what its stream threw, after what came before', async () => {
    const { ask } = await open()
    const { result, body } = await ask(`export default () => new Response(new ReadableStream({
      start(controller) { controller.enqueue(new Uint8Array([104, 105])) },
      pull() { throw new RangeError('broken') },
    }))`)
    expect(body).toBe('hi')
    expect(result.error).toMatchObject({ name: 'RangeError', message: 'broken' })
  })

  it('is stopped when its stream never ends', async () => {
    const { ask } = await open()
    const { result, parts } = await ask(
      `export default () => new Response(new ReadableStream({
        pull(controller) { controller.enqueue(new Uint8Array(1024)) },
      }))`,
      {},
      { timeoutMs: 300 },
    )
    expect(result.error?.code).toMatch(/TIMEOUT|RESOURCE_LIMIT/)
    expect(parts.length).toBeGreaterThan(1)
  })

  it('stops sending, and hears of it, when nothing more is wanted', async () => {
    const { ask } = await open()
    const { result, parts } = await ask(
      `export default (_, ctx) => new Response(new ReadableStream({
        async pull(controller) {
          await new Promise((done) => setTimeout(done, 1))
          controller.enqueue(new Uint8Array([1]))
        },
        cancel() { ctx.log.info('cancelled') },
      }))`,
      {},
      {
        after: (_, n) => {
          if (n === 3) throw new Error('gone')
        },
      },
    )
    expect(result.error).toBe(undefined)
    expect(parts).toHaveLength(3)
    expect(result.logs.map(({ message }) => message)).toEqual(['cancelled'])
  })

  it.each([
    ['a status that is none', { head: { status: 99, statusText: '', headers: [] } }],
    [
      'a line break in a header',
      { head: { status: 200, statusText: '', headers: [['a', 'b\r\nc: d']] } },
    ],
    ['a name that is none', { head: { status: 200, statusText: '', headers: [['a b', 'c']] } }],
    ['bytes that are none', { bytes: 'text' }],
    ['an unknown key', { head: undefined, evil: 1 }],
    ['no object', null],
  ])('cannot send %s past the classes', async (_, part) => {
    const { ask } = await open()
    // The host function that the platform uses, as a hostile handler finds it: through a Response that lies.
    const { result, parts } = await ask(`
      const part = ${JSON.stringify(part)}
      export default () => {
        const real = new Response('x')
        Object.defineProperty(real, 'status', { get: () => part?.head?.status ?? 200 })
        Object.defineProperty(real, 'headers', { get: () => ({
          forEach: (each) => { for (const [n, v] of part?.head?.headers ?? [['bad name', '']]) each(v, n) },
          getSetCookie: () => [],
        }) })
        return real
      }`)
    expect(result.error?.message).toMatch(/The response cannot be sent/)
    expect(parts).toEqual([])
  })

  it('is no handler of events', async () => {
    const { runtime } = await open()
    const code = 'export default { fetch: () => new Response("x") }'
    const { error } = await runtime.executeHandler(code, { event: 1 })
    expect(error?.message).toContain('`http`')
  })
})
