import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type CloudEvent,
  NexusClient,
  NexusClientError,
  type NexusClientOptions,
} from '@nexus/client'
import { afterEach, describe, expect, it } from 'vitest'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

let server: Server | undefined

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((closed) => (server ? server.close(closed) : closed(undefined)))
  server = undefined
})

async function serve(answer: Answer): Promise<string> {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((listening) => server!.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

const event = (id: string): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'a.b',
  time: '2026-01-01T00:00:00.000Z',
})

describe('NexusClient', () => {
  it('publishes a complete CloudEvent with the token', async () => {
    const seen: unknown[] = []
    const url = await serve((request, response, body) => {
      seen.push(request.method, request.url, request.headers, JSON.parse(body))
      json(response, 202, { id: 'e1', duplicate: false })
    })
    const client = new NexusClient({ url: `${url}/`, token: 'secret' })
    await expect(client.publish({ type: 'a.b', data: { n: 1 }, id: 'e1' })).resolves.toEqual({
      id: 'e1',
      duplicate: false,
    })
    expect(seen).toEqual([
      'POST',
      '/api/events',
      expect.objectContaining({
        'content-type': 'application/cloudevents+json',
        authorization: 'Bearer secret',
      }),
      { specversion: '1.0', id: 'e1', source: '/nexus/client', type: 'a.b', data: { n: 1 } },
    ])
  })

  it('publishes a batch in one request', async () => {
    const url = await serve((request, response, body) => {
      expect(request.headers['content-type']).toBe('application/cloudevents-batch+json')
      const ids = (JSON.parse(body) as CloudEvent[]).map(({ id }) => id)
      json(response, 202, { results: ids.map((id) => ({ id, duplicate: false })) })
    })
    const receipts = await new NexusClient({ url }).publishBatch([
      { type: 'a', id: '1' },
      { type: 'a', id: '2' },
    ])
    expect(receipts.map(({ id }) => id)).toEqual(['1', '2'])
  })

  it('escapes ids in paths and filters in queries', async () => {
    const paths: (string | undefined)[] = []
    const url = await serve((request, response) => {
      paths.push(request.url)
      json(response, 200, {})
    })
    const client = new NexusClient({ url })
    await client.getEvent('a/b?c#d').catch(() => {})
    await client.replay('../x').catch(() => {})
    await client.listEvents({ limit: 5, type: 'a.*&x=1' }).catch(() => {})
    expect(paths).toEqual([
      '/api/events/a%2Fb%3Fc%23d',
      '/api/events/..%2Fx/replay',
      '/api/events?limit=5&type=a.*%26x%3D1',
    ])
  })

  it('walks through every page', async () => {
    const pages: Record<string, unknown> = {
      '/api/events?type=a&limit=2': { events: [event('4'), event('3')], total: 4, cursor: 'x' },
      '/api/events?type=a&limit=2&cursor=x': { events: [event('2'), event('1')], total: 4 },
    }
    const url = await serve((request, response) => json(response, 200, pages[request.url!]))
    const ids: string[] = []
    for await (const { id } of new NexusClient({ url }).events({ type: 'a' }, 2)) ids.push(id)
    expect(ids).toEqual(['4', '3', '2', '1'])
  })

  it('goes on over pages that end early, and stops at ones that would never end', async () => {
    const pages: Record<string, unknown> = {
      '/api/events?limit=3': { events: [event('4')], cursor: 'x' },
      '/api/events?limit=3&cursor=x': { events: [], cursor: 'y' },
      '/api/events?limit=3&cursor=y': { events: [event('3'), event('2')], cursor: 'z' },
      '/api/events?limit=3&cursor=z': { events: [event('1')], cursor: 'z' },
    }
    const url = await serve((request, response) => json(response, 200, pages[request.url!]))
    const ids: string[] = []
    const all = (async () => {
      for await (const { id } of new NexusClient({ url }).events({}, 3)) ids.push(id)
    })()
    await expect(all).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(ids).toEqual(['4', '3', '2', '1'])
  })

  it('names the source of an event where it is given one', async () => {
    const paths: (string | undefined)[] = []
    const url = await serve((request, response) => {
      paths.push(request.url)
      json(response, 409, { error: { code: 'AMBIGUOUS_ID', message: 'several' } })
    })
    const client = new NexusClient({ url })
    for (const call of [
      client.getEvent('a/b', { source: '/x?y' }),
      client.replay('a/b', { source: '/x?y' }),
      client.getEvent('c'),
    ]) {
      await expect(call).rejects.toMatchObject({ status: 409, serverCode: 'AMBIGUOUS_ID' })
    }
    expect(paths.sort()).toEqual([
      '/api/events/a%2Fb/replay?source=%2Fx%3Fy',
      '/api/events/a%2Fb?source=%2Fx%3Fy',
      '/api/events/c',
    ])
  })

  it.each([
    'http://user:hunter2@localhost',
    'http://hunter2@localhost:8080/x',
    'http://localhost/?token=hunter2',
    'http://localhost/#hunter2',
    'user:hunter2@localhost:8080',
    'http://user:hun/hunter2@localhost:99999',
    'ftp://user:hunter2@localhost?hunter2',
  ])('refuses %s without its secret in the message', (url) => {
    let message = ''
    try {
      new NexusClient({ url })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(/^NexusClient: url: expected /)
    expect(message).not.toContain('hunter2')
  })

  it('tells refusals by status and by the code of the server', async () => {
    const url = await serve((_request, response) =>
      json(response, 404, { error: { code: 'EVENT_NOT_FOUND', message: 'No such event' } }),
    )
    const error = await new NexusClient({ url }).getEvent('x').catch((reason) => reason)
    expect(error).toBeInstanceOf(NexusClientError)
    expect(error).toMatchObject({
      code: 'HTTP_ERROR',
      status: 404,
      statusText: 'Not Found',
      serverCode: 'EVENT_NOT_FOUND',
      message: 'Server returned status: 404 Not Found: No such event',
    })
  })

  it('survives an error page that is not JSON', async () => {
    const url = await serve((_request, response) => response.writeHead(502).end('<h1>Bad</h1>'))
    await expect(new NexusClient({ url }).metrics()).rejects.toMatchObject({
      code: 'HTTP_ERROR',
      status: 502,
      serverCode: undefined,
    })
  })

  it('says when the answer is not what a Nexus server sends', async () => {
    const url = await serve((_request, response) => response.end('<html>'))
    await expect(new NexusClient({ url }).metrics()).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
  })

  it('tells a refused connection from one that breaks', async () => {
    const url = await serve((_request, response) => response.destroy())
    await expect(new NexusClient({ url }).metrics()).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
    })
    await new Promise((closed) => server!.close(closed))
    server = undefined
    for (const refused of [url, url.replace('127.0.0.1', 'localhost')]) {
      await expect(new NexusClient({ url: refused }).metrics()).rejects.toMatchObject({
        code: 'CONNECTION_REFUSED',
        message: 'Connection refused',
        url: refused,
      })
    }
  })

  it('gives up on a server that does not answer, or stops in the middle of its answer', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/api/events') response.write('{"events":[')
    })
    const client = new NexusClient({ url, timeoutMs: 50 })
    await expect(client.metrics()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(client.listEvents()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it.each([
    [{ url: 'localhost:8080' }, 'url: expected an http or https URL, got "localhost:8080"'],
    [{ url: 'file:///etc/passwd' }, 'url: expected an http or https URL'],
    [{ url: 'http://localhost/?x=1' }, 'url: expected no query and no fragment in it'],
    [{ url: 'http://localhost/#x' }, 'url: expected no query and no fragment in it'],
    [{ url: 'http://user@localhost' }, 'url: expected no user name or password in it'],
    [{ timeoutMs: 0 }, 'timeoutMs must be a positive number, got 0'],
    [{ retries: 3 }, 'unknown option retries; expected url, token, timeoutMs, fetch'],
  ])('refuses the options %j', (options, message) => {
    expect(() => new NexusClient(options as NexusClientOptions)).toThrow(message)
  })
})
