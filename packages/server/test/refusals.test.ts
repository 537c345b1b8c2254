import { once } from 'node:events'
import { connect } from 'node:net'
import { EventBusError, memoryStore } from '@nexus/event-bus'
import { expect, it } from 'vitest'
import { json, serve } from './serve.js'

/** What a server answers to these bytes, until it closes the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (part) => {
    answer += part
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

const head = 'Host: 127.0.0.1\r\nContent-Type: application/json\r\n'

it.each([
  ['that is not HTTP', 'hello\r\n\r\n', 400, 'BAD_REQUEST'],
  [
    'with headers without end',
    `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'whose body stalls',
    `POST /api/events HTTP/1.1\r\n${head}Content-Length: 10\r\n\r\n{`,
    408,
    'REQUEST_TIMEOUT',
  ],
])('answers a request %s in the shape of all refusals', async (_, text, status, code) => {
  const { port } = await serve({ bodyTimeoutMs: 200 })
  const answer = await raw(port, text)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  const [, body] = answer.split('\r\n\r\n')
  expect(JSON.parse(body!)).toEqual({ error: { code, message: expect.stringMatching(/\S/) } })
})

it('tells a client nothing of what went wrong inside, and tells who runs the server', async () => {
  const faults: Error[] = []
  const inside = '/srv/secret/path at 10.0.0.7:6379'
  const failing = (error: Error) =>
    Object.assign(memoryStore(), { list: () => Promise.reject(error) })
  const ask = async (error: Error) => {
    const store = failing(error)
    const { send } = await serve({ onFault: (fault) => faults.push(fault) }, { store })
    const response = await send('/api/events')
    const text = await response.text()
    expect(text).not.toMatch(/secret|10\.0\.0\.7/)
    return [response.status, (JSON.parse(text) as { error: { code: string } }).error.code]
  }
  const withStatus = Object.assign(new Error(inside), { statusCode: 400 })
  expect(await ask(new Error(inside))).toEqual([500, 'INTERNAL_ERROR'])
  expect(await ask(withStatus)).toEqual([500, 'INTERNAL_ERROR'])
  expect(await ask(new EventBusError('STORE_FAILED', inside))).toEqual([500, 'INTERNAL_ERROR'])
  expect(faults.map(({ message }) => message)).toEqual([inside, inside, inside])
  for (const code of ['STORE_UNAVAILABLE', 'BACKPRESSURE', 'CLOSED', 'STORE_EMPTIED'] as const) {
    expect(await ask(new EventBusError(code, inside))).toEqual([503, code])
  }
})

it.each([
  [`/api/events?type=${'a'.repeat(513)}`],
  [`/api/events?type=${'a'.repeat(6001)}`],
  [`/api/events?cursor=${'1'.repeat(1025)}`],
  [`/api/events/x?source=${'a'.repeat(513)}`],
  ['/api/events?limit=00000000000000000000000000000000001x'],
  ['/api/events?type=a&type=b'],
])('refuses a query that is too long or no query of this route: %#', async (path) => {
  const { send } = await serve()
  const response = await send(path)
  expect(response.status).toBe(400)
})

it('refuses JSON that it could not give back, the same on both routes', async () => {
  const { bus, send } = await serve()
  const bad = Buffer.from(
    '{"specversion":"1.0","id":"1","source":"/s","type":"a","data":"\xff"}',
    'latin1',
  )
  for (const body of [bad, Buffer.from(bad.toString('latin1').replace('"\xff"', '1e400'))]) {
    for (const [path, type] of [
      ['/api/webhook', 'application/json'],
      ['/api/events', 'application/cloudevents+json'],
    ] as const) {
      const response = await send(path, { method: 'POST', headers: { 'content-type': type }, body })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'INVALID_JSON' } })
    }
  }
  expect((await bus.list()).total).toBe(0)
  expect((await send('/api/webhook', json({ type: 'a' }))).status).toBe(202)
})
