import type { FunctionAttempt, FunctionDefinition } from '@nexus/functions'
import { describe, expect, it } from 'vitest'
import { openHost } from './open-host.js'

const order: FunctionDefinition = {
  name: 'order',
  source: `export default async (request, ctx) => {
    if (request.method === 'POST') await ctx.emit('order.made', { id: ctx.params.id })
    return Response.json({ id: ctx.params.id, rest: ctx.params['*'], body: await request.text() })
  }`,
  http: { path: '/orders/:id' },
  capabilities: ['events:emit:order.made'],
}

const text = (source: string, http: FunctionDefinition['http']): FunctionDefinition => ({
  name: 'f',
  source,
  http,
})
const ask = (path: string, init?: RequestInit) => new Request(`http://shop.test${path}`, init)

describe('a function that answers requests', () => {
  it('gets those of its path, with what stands there for its parameters', async () => {
    const { host } = await openHost([order])
    const response = await host.fetch(ask('/orders/a%20b?x=1', { method: 'PUT', body: 'ü' }))
    expect([response.status, await response.json()]).toEqual([200, { id: 'a b', body: 'ü' }])
    expect(host.functions).toMatchObject([
      { name: 'order', events: [], http: { path: '/orders/:id' }, succeeded: 1, running: 0 },
    ])
    await expect(host.fetch(ask('/orders'))).rejects.toMatchObject({ code: 'FUNCTION_NOT_FOUND' })
  })

  it.each<[string, string, string[]]>([
    ['GET', '/a', ['GET', 'HEAD', 'POST']],
    ['HEAD', '/a', ['GET', 'HEAD', 'POST']],
    ['PUT', '/a', ['GET', 'HEAD', 'POST']],
    ['GET', '/files/x/y', ['GET', 'HEAD', 'POST']],
    ['GET', '/none', []],
    ['GET', '/a/', []],
    ['BREW', '/a', ['GET', 'HEAD', 'POST']],
  ])('is found by method and path: %s %s', async (method, path, methods) => {
    const http = (path: string) => ({ method: ['GET', 'POST'] as const, path })
    const { host } = await openHost([
      { ...text('export default () => new Response()', http('/a')), name: 'a' },
      { ...text('export default () => new Response()', http('/files/*')), name: 'b' },
    ])
    const found = host.route(method, path)
    const isAnswered = methods.includes(method)
    expect(found.match !== undefined).toBe(isAnswered)
    expect(found.methods).toEqual(isAnswered ? [method] : methods)
  })

  it('counts a request whose body does not come as failed, and no longer as running', async () => {
    const { host } = await openHost([order])
    const body = new ReadableStream({
      pull: () => {
        throw new Error('the client went away')
      },
    })
    const cut = { method: 'POST', body, duplex: 'half' } as RequestInit
    await expect(host.fetch(ask('/orders/7', cut))).rejects.toThrow('the client went away')
    expect(host.functions).toMatchObject([{ running: 0, succeeded: 0, failed: 1 }])
  })

  it('stores what it emits before its answer ends', async () => {
    const { host, bus } = await openHost([order])
    const response = await host.fetch(ask('/orders/7', { method: 'POST' }))
    await response.text()
    const { events } = await bus.list()
    expect(events).toMatchObject([
      { event: { type: 'order.made', source: '/functions/order', data: { id: '7' } } },
    ])
  })

  it('streams its answer, and an answer that is wanted no more ends it', async () => {
    const attempts: FunctionAttempt[] = []
    const { host } = await openHost(
      [
        text(
          `export default (_, ctx) => new Response(new ReadableStream({
            async pull(controller) {
              await new Promise((done) => setTimeout(done, 1))
              controller.enqueue(new TextEncoder().encode('tick'))
            },
            cancel() { ctx.log.info('cancelled') },
          }))`,
          { path: '/' },
        ),
      ],
      { onAttempt: (attempt) => attempts.push(attempt) },
    )
    const reader = (await host.fetch(ask('/'))).body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toContain('tick')
    await reader.cancel()
    await expect
      .poll(() => attempts)
      .toMatchObject([{ function: 'f', status: 'success', logs: [{ message: 'cancelled' }] }])
  })

  it('fails before its answer as an error, and after its head as an error of the body', async () => {
    const { host } = await openHost([
      text('export default () => { if (Response) throw new TypeError("secret") }', {
        path: '/early',
      }),
      {
        ...text(
          `export default () => new Response(new ReadableStream({
            start(controller) { controller.enqueue(new Uint8Array(9)) },
            pull() { throw new Error('late') },
          }))`,
          { path: '/late' },
        ),
        name: 'late',
      },
    ])
    await expect(host.fetch(ask('/early'))).rejects.toMatchObject({
      code: 'FUNCTION_FAILED',
      cause: { code: 'EXECUTION_ERROR', message: 'secret' },
    })
    const late = await host.fetch(ask('/late'))
    expect(late.status).toBe(200)
    await expect(late.arrayBuffer()).rejects.toMatchObject({ code: 'FUNCTION_FAILED' })
    expect(host.functions).toMatchObject([{ failed: 1 }, { failed: 1 }])
  })

  it.each([
    'new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(70000)) } }))',
    'new Response(new ReadableStream({ pull() { return new Promise(() => {}) } }))',
  ])('is stopped at its time limit when its answer never ends: %s', async (body) => {
    const { host } = await openHost([
      { ...text(`export default () => ${body}`, { path: '/' }), timeoutMs: 300 },
    ])
    const response = await host.fetch(ask('/'))
    await expect(response.arrayBuffer()).rejects.toThrow()
  })

  it('keeps an event of each request where that is asked for', async () => {
    const source = 'export default () => new Response("made", { status: 201 })'
    const { host, bus } = await openHost([text(source, { path: '/', journal: true })])
    await (await host.fetch(ask('/?a=1', { headers: { authorization: 'secret' } }))).text()
    await expect
      .poll(async () => (await bus.list()).events)
      .toMatchObject([{ event: { type: 'nexus.http.f', source: '/http' } }])
    const [stored] = (await bus.list()).events
    expect(stored!.event.data).toEqual({
      method: 'GET',
      url: '/?a=1',
      status: 201,
      durationMs: expect.any(Number),
    })
  })

  it('answers nothing while it is paused, and with its new code after a reload', async () => {
    const { host } = await openHost([text('export default () => new Response("1")', { path: '/' })])
    await host.bind([text('export default () => new Response("2")', { path: '/new' })])
    expect(await (await host.fetch(ask('/new'))).text()).toBe('2')
    await expect(host.fetch(ask('/'))).rejects.toMatchObject({ code: 'FUNCTION_NOT_FOUND' })
    await host.pause('f')
    await expect(host.fetch(ask('/new'))).rejects.toMatchObject({ code: 'FUNCTION_PAUSED' })
    await host.resume('f')
    expect((await host.fetch(ask('/new'))).status).toBe(200)
  })

  it.each<[object, RegExp]>([
    [{ http: { path: 'orders' } }, /expected a path such as/],
    [{ http: { path: '/a/*/b' } }, /expected a path such as/],
    [{ http: { path: '/(.*)' } }, /expected a path such as/],
    [{ http: { path: '/api/events' } }, /outside of \/api/],
    [{ http: { path: '/metrics' } }, /outside of \/api/],
    [{ http: { path: '/', method: 'TRACE' } }, /http/],
    [{ http: { path: '/' }, events: 'a' }, /neither events nor a schedule/],
    [{ http: { path: '/', unknown: 1 } }, /unknown/i],
  ])('is refused as %j', async (more, message) => {
    const definition = { name: 'f', source: 'export default () => 1', ...more }
    await expect(openHost([definition as FunctionDefinition])).rejects.toThrow(message)
  })

  it('is refused where another one answers the same', async () => {
    const one = text('export default () => 1', { path: '/a/:x' })
    await expect(
      openHost([one, { ...one, name: 'g', http: { path: '/a/:x', method: 'GET' } }]),
    ).rejects.toThrow(/function g: http: another function answers GET \/a\/:x already/)
  })
})
