import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'
import { bodyOf, openServer } from './servers.js'

/** The answers that are under way, by path. */
const open = new Map<string, ServerResponse>()
const closed: string[] = []
const bodies: string[] = []
/** What came of a body so far. */
let arrived = ''
const port = await openServer(async (request, response) => {
  const path = request.url!
  response.on('close', () => closed.push(path))
  if (path === '/pieces') {
    arrived = ''
    for await (const piece of request) arrived += piece
    response.end(`pieces: ${arrived}`)
  } else if (path === '/arrived') {
    response.end(arrived)
  } else if (path === '/stops') {
    response.writeHead(413, { connection: 'close' }).end()
  } else if (path.startsWith('/redirect/')) {
    await bodyOf(request)
    response.writeHead(Number(path.slice(10)), { location: '/got' }).end()
  } else if (path === '/got') {
    response.end('got')
  } else if (request.method === 'POST') {
    // A guest may break off.
    bodies.push(await bodyOf(request).catch(() => 'broken off'))
    response.end('taken')
  } else if (path.startsWith('/next/')) {
    // The guest has the chunk before: now comes the next.
    const name = path.slice('/next/'.length)
    const target = open.get(name)!
    if (target.writableLength > 0) await once(target, 'drain')
    target.write('second')
    target.end()
    response.end()
  } else if (path.startsWith('/endless')) {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384, 'x')));
    }
    response.on('drain', more)
    more()
  } else if (path.startsWith('/drip')) {
    for (let i = 0; i < 20 && !response.destroyed; i++) {
      response.write(`${i};`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  } else if (path.startsWith('/broken')) {
    response.write('first')
    open.set(path.slice(1), response)
  } else {
    response.write('first')
    open.set(path.slice(1), response)
  }
})
const event = { base: `http://127.0.0.1:${port}` }
const capabilities = [`net:127.0.0.1:${port}`]
let names = 0

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('an answer that arrives in pieces, %s', (_, runtime) => {
  const run = (body: string, options = {}) =>
    runtime.executeHandler(
      handler(body),
      { event: { ...event, name: `a${++names}` }, capabilities },
      options,
    )
  const outcomeOf = async (body: string, options = {}) => {
    const { value, error } = await run(body, options)
    expect(error).toBeUndefined()
    return value
  }

  it('is read before its end', async () => {
    expect(
      await outcomeOf(`
        const reader = (await fetch(event.base + '/' + event.name)).body.getReader()
        const text = ({ value }) => new TextDecoder().decode(value)
        const first = text(await reader.read())
        await fetch(event.base + '/next/' + event.name)
        const second = text(await reader.read())
        return [first, second, (await reader.read()).done]`),
    ).toEqual(['first', 'second', true])
  })

  it('is gathered by text(), also after clone(), and passes through streams', async () => {
    expect(
      await outcomeOf(`
        const response = await fetch(event.base + '/drip')
        const copy = response.clone()
        const upper = new TransformStream({ transform: (text, c) => c.enqueue(text.toUpperCase()) })
        const piped = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(upper)
        let all = ''
        for await (const text of piped) all += text
        return [all === await copy.text(), all.split(';').length, response.bodyUsed]`),
    ).toEqual([true, 21, true])
    expect(
      await outcomeOf(`return (await (await fetch(event.base + '/drip')).text()).length`),
    ).toBe(50)
    expect(
      await outcomeOf(`
        const response = await fetch(event.base + '/drip')
        const wrapped = new Response(response.body, response)
        return [(await wrapped.text()).length, response.bodyUsed]`),
    ).toEqual([50, true])
  })

  it('text() of many pieces is one host call; reading them one by one counts each', async () => {
    expect(
      await outcomeOf(`return (await (await fetch(event.base + '/drip')).text()).length`, {
        maxHostCalls: 4,
      }),
    ).toBe(50)
    const { error } = await run(
      `let n = 0
      for await (const chunk of (await fetch(event.base + '/endless')).body) n += chunk.length
      return n`,
      { maxHostCalls: 6, maxResponseBytes: 1e9 },
    )
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
  })

  it('is stopped at the limit of its bytes, and its connection is closed', async () => {
    const path = `/endless?${++names}`
    const { error } = await run(
      `let n = 0
      for await (const chunk of (await fetch(event.base + '${path}')).body) n += chunk.length
      return n`,
      { maxResponseBytes: 100_000 },
    )
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
    await expect.poll(() => closed).toContain(path)
  })

  it('that stalls ends with the call, and so does one that is not read', async () => {
    const stalled = `/stalled-${++names}`
    const { error } = await run(`return (await fetch(event.base + '${stalled}')).text()`, {
      timeoutMs: 300,
    })
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(() => closed).toContain(stalled)
    const unread = `/unread-${++names}`
    expect(await outcomeOf(`return (await fetch(event.base + '${unread}')).status`)).toBe(200)
    await expect.poll(() => closed).toContain(unread)
  })

  it('ends early by cancel() and by its signal', async () => {
    const cancelled = `/cancelled-${++names}`
    expect(
      await outcomeOf(`
        const response = await fetch(event.base + '${cancelled}')
        const reader = response.body.getReader()
        await reader.read()
        await reader.cancel()
        return [(await reader.read()).done]`),
    ).toEqual([true])
    await expect.poll(() => closed).toContain(cancelled)
    expect(
      await outcomeOf(`
        const controller = new AbortController()
        const response = await fetch(event.base + '/' + event.name, { signal: controller.signal })
        const reader = response.body.getReader()
        await reader.read()
        const next = reader.read()
        controller.abort(new RangeError('enough'))
        return [await next.catch((error) => error.message), await reader.read().catch((error) => error.name)]`),
    ).toEqual(['enough', 'RangeError'])
  })

  it('a connection that breaks in the middle fails the read', async () => {
    const name = `broken-${++names}`
    const call = run(`
      const reader = (await fetch(event.base + '/${name}')).body.getReader()
      const { value } = await reader.read()
      return [new TextDecoder().decode(value), await reader.read().catch((error) => error.name)]`)
    await expect.poll(() => open.has(name)).toBe(true)
    open.get(name)!.destroy()
    expect((await call).value).toEqual(['first', 'TypeError'])
  })

  it('a body that is a form or a blob is sent whole', async () => {
    bodies.length = 0
    await outcomeOf(`
      await fetch(event.base, { method: 'POST', body: new Blob(['blob']) })
      const form = new FormData(); form.set('field', 'value')
      await fetch(new Request(event.base, { method: 'POST', body: form }))`)
    expect(bodies[0]).toBe('blob')
    expect(bodies[1]).toMatch(/name="field"\r\n\r\nvalue/)
  })
})

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('a request whose body is a stream, %s', (_, runtime) => {
  const run = (body: string, options = {}) =>
    runtime.executeHandler(handler(body), { event, capabilities }, options)

  it('leaves in pieces, in order, while the stream goes on', async () => {
    bodies.length = 0
    const { value, error } = await run(`
      const seen = async () => (await fetch(event.base + '/arrived')).text()
      const body = new ReadableStream({
        async pull(c) {
          for (const piece of ['a', 'b', 'ü']) c.enqueue(new TextEncoder().encode(piece))
          while ((await seen()) !== 'abü') await new Promise((resolve) => setTimeout(resolve, 5))
          c.enqueue(new TextEncoder().encode('last'))
          c.close()
        },
      })
      const response = fetch(event.base + '/pieces', { method: 'POST', body, duplex: 'half' })
      return [await (await response).text()]`)
    expect(error).toBeUndefined()
    expect(value).toEqual(['pieces: abülast'])
  })

  it('sends no more than the server takes', async () => {
    const { value } = await run(
      `
      let pulled = 0
      const body = new ReadableStream({
        pull(c) { c.enqueue(new Uint8Array(20_000)); if (++pulled === 5_000) c.close() },
      }, { highWaterMark: 0 })
      const failed = await fetch(event.base + '/stops', { method: 'POST', body, duplex: 'half' }).then(
        (response) => response.status,
        (error) => error.code,
      )
      return [failed, pulled < 5_000]`,
      { maxRequestBytes: 200_000_000 },
    )
    // A server that closes before it has read all may be heard of by the failed write first.
    expect(value).toEqual([expect.toBeOneOf([413, 'EPIPE', 'ECONNRESET']), true])
  })

  it('fails at its limit, with the stream, with the signal, and for what are no bytes', async () => {
    const { value, error } = await run(
      `
      const send = (body, init) => fetch(event.base, { method: 'POST', body, duplex: 'half', ...init })
        .then((r) => r.text(), (e) => [e.name, e.code ?? e.message, e.cause?.message])
      const streamOf = (...chunks) => new ReadableStream({ pull(c) { const next = chunks.shift(); next ? c.enqueue(next) : c.close() } })
      const controller = new AbortController()
      const never = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)) } })
      setTimeout(() => controller.abort(new RangeError('enough')), 10)
      return [
        await send(streamOf(new Uint8Array(600), new Uint8Array(600))),
        await send(new ReadableStream({ pull(c) { c.error(new Error('broken')) } })),
        await send(never, { signal: controller.signal }),
        await send(streamOf('text')),
        await send(streamOf(new TextEncoder().encode('good'))),
      ]`,
      { maxRequestBytes: 1000 },
    )
    expect(error).toBeUndefined()
    expect(value).toEqual([
      ['RangeError', 'RESOURCE_LIMIT', null],
      ['TypeError', 'fetch failed', 'broken'],
      ['RangeError', 'enough', null],
      ['TypeError', 'fetch failed', 'The stream of a body must be made of Uint8Arrays'],
      'taken',
    ])
  })

  it('is not sent again where the server redirects, unless as a GET', async () => {
    const { value } = await run(`
      const send = (status) => fetch(event.base + '/redirect/' + status, {
        method: 'POST', body: ReadableStream.from([new Uint8Array(1)]), duplex: 'half',
      }).then((r) => r.text(), (e) => e.message)
      return [await send(303), await send(307)]`)
    expect(value).toEqual([
      'got',
      'fetch: the server redirects, and a body that is a stream cannot be sent again',
    ])
  })
})
