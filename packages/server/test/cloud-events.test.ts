import { request } from 'node:http'
import { CloudEvent, emitterFor, httpTransport, Mode } from 'cloudevents'
import { describe, expect, it } from 'vitest'
import { featureMessages, yamlMessages } from '../../event-bus/test/vectors/conformance-messages.js'
import { serve } from './serve.js'

const routes = ['/api/events', '/api/webhook']
const ce = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' }

/** Sends a message with its headers as they are: one with several values is sent several times. */
function send(
  url: string,
  headers: Record<string, string | string[]>,
  body: string | Uint8Array = '',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, text }))
    })
      .on('error', reject)
      .end(body)
  })
}

/** The only event that was stored, as a client gets it. */
async function stored(served: Awaited<ReturnType<typeof serve>>): Promise<object> {
  const { events } = await served.bus.list()
  expect(events).toHaveLength(1)
  const { id, source } = events[0]!.event
  const query = new URLSearchParams({ source })
  const response = await served.send(`/api/events/${encodeURIComponent(id)}?${query}`)
  return ((await response.json()) as { event: object }).event
}

describe.each(routes)('POST %s', (path) => {
  it.each([...yamlMessages('1.0'), ...featureMessages()])(
    'keeps "$name" of the conformance repository as it came',
    async ({ headers, body, event }) => {
      const served = await serve()
      expect(await send(served.url + path, headers, body)).toMatchObject({ status: 202 })
      expect(await stored(served)).toEqual({ time: expect.any(String), ...event })
    },
  )

  it.each(yamlMessages('0.3'))('refuses "$name", which is of an older version', async (message) => {
    const { url, bus } = await serve()
    const { status, text } = await send(url + path, message.headers, message.body)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'INVALID_EVENT', message: expect.stringMatching(/^specversion: /) },
    })
    expect((await bus.list()).total).toBe(0)
  })

  it.each(['id', 'source', 'type', 'specversion', 'time', 'subject', 'note'])(
    'refuses two headers ce-%s, whatever they say',
    async (name) => {
      const { url, bus } = await serve()
      const value = { specversion: '1.0', time: '2026-01-01T00:00:00Z' }[name] ?? 'x'
      const { status, text } = await send(url + path, { ...ce, [`ce-${name}`]: [value, value] })
      expect([status, JSON.parse(text).error.code]).toEqual([400, 'INVALID_EVENT'])
      expect(text).toContain(`ce-${name}`)
      expect((await bus.list()).total).toBe(0)
    },
  )

  it.each(['ce-data', 'ce-data_base64', 'ce-datacontenttype'])(
    'refuses the header %s: the body is the data',
    async (name) => {
      const { url, bus } = await serve()
      expect(await send(url + path, { ...ce, [name]: 'text/plain' }, '1')).toMatchObject({
        status: 400,
        text: expect.stringContaining(name),
      })
      expect((await bus.list()).total).toBe(0)
    },
  )

  it.each([
    ['2016-12-31T23:59:60Z', 202],
    ['2017-01-01T00:59:60+01:00', 202],
    ['2016-12-31T23:59:60.5Z', 202],
    ['2016-12-31T22:59:60Z', 400],
    ['2026-02-30T00:00:00Z', 400],
    ['5', 400],
  ])('takes the time %s: %i', async (time, status) => {
    const served = await serve()
    expect(await send(served.url + path, { ...ce, 'ce-time': time })).toMatchObject({ status })
    if (status === 202) expect(await stored(served)).toMatchObject({ time })
  })

  it.each([
    ['"quoted"', 'quoted'],
    ['"a \\"b\\" \\\\"', 'a "b" \\'],
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['say "no"', 'say "no"'],
    [Buffer.from('Zoë').toString('latin1'), 'Zoë'],
  ])('reads the header value %j as %j', async (value, subject) => {
    const served = await serve()
    expect(await send(served.url + path, { ...ce, 'ce-subject': value })).toMatchObject({
      status: 202,
    })
    expect(await stored(served)).toMatchObject({ subject })
  })

  it.each([
    ['application/json; charset=iso-8859-1', Buffer.from('"\xe9"', 'latin1'), { data: 'é' }],
    ['application/json; charset=utf-16le', Buffer.from('"é"', 'utf16le'), { data: 'é' }],
    ['text/plain; charset=windows-1252', Buffer.from([0x80]), { data: '€' }],
    ['text/plain; charset=none-such', Buffer.from('a'), { data_base64: 'YQ==' }],
    ['text/plain', Buffer.from([0xff]), { data_base64: '/w==' }],
    ['application/octet-stream', Buffer.from([0, 255]), { data_base64: 'AP8=' }],
    ['application/vnd.shop+json', Buffer.from('{"n":1}'), { data: { n: 1 } }],
  ])('keeps a body of %s', async (type, body, payload) => {
    const served = await serve()
    const headers = { ...ce, 'content-type': type }
    expect(await send(served.url + path, headers, body)).toMatchObject({ status: 202 })
    const event = await stored(served)
    expect(event).toMatchObject({ datacontenttype: type, ...payload })
    expect(Object.keys(event).filter((key) => key.startsWith('data'))).toHaveLength(2)
  })

  it('takes a batch as a whole, and none of one with a bad event', async () => {
    const { url, bus } = await serve()
    const event = (id: string) => ({ specversion: '1.0', id, source: '/s', type: 'a' })
    const post = (events: unknown[]) =>
      send(
        url + path,
        { 'content-type': 'application/cloudevents-batch+json' },
        JSON.stringify(events),
      )
    for (const bad of [
      1,
      null,
      [],
      {},
      { ...event('x'), type: '' },
      { ...event('x'), Upper: 'x' },
      { ...event('x'), time: '2026-02-30T00:00:00Z' },
      { ...event('x'), data_base64: '***' },
    ]) {
      for (const batch of [
        [bad, event('1')],
        [event('1'), bad],
        [event('1'), bad, event('2')],
      ]) {
        expect((await post(batch)).status).toBe(400)
      }
    }
    expect((await bus.list()).total).toBe(0)
    const { status, text } = await post([event('1'), event('2'), event('1')])
    expect(status).toBe(202)
    expect(JSON.parse(text)).toEqual({
      results: [
        { id: '1', duplicate: false },
        { id: '2', duplicate: false },
        { id: '1', duplicate: true },
      ],
    })
    expect((await bus.list()).total).toBe(2)
    expect((await post([])).status).toBe(202)
  })

  it('keeps extensions with the names of what every object has', async () => {
    const served = await serve()
    const names = ['constructor', 'tostring', 'valueof', 'hasownproperty', 'isprototypeof']
    const extensions = Object.fromEntries(names.map((name) => [name, `its ${name}`]))
    const event = { specversion: '1.0', id: '1', source: '/s', type: 'a', ...extensions }
    const headers = Object.fromEntries(
      Object.entries(event).map(([name, value]) => [`ce-${name}`, value]),
    )
    expect((await send(served.url + path, headers)).status).toBe(202)
    expect({ ...(await stored(served)) }).toEqual({ ...event, time: expect.any(String) })
    const structured = { 'content-type': 'application/cloudevents+json' }
    const body = JSON.stringify({ ...event, id: '2' })
    expect((await send(served.url + path, structured, body)).status).toBe(202)
    const second = await served.send('/api/events/2')
    expect(((await second.json()) as { event: object }).event).toEqual({
      ...event,
      id: '2',
      time: expect.any(String),
    })
  })

  it.each(['__proto__', 'toString', 'with-dash', 'under_score'])(
    'refuses an extension %s and names it: CloudEvents allows lower-case letters and digits',
    async (name) => {
      const { url, bus } = await serve()
      const body = `{"specversion":"1.0","id":"1","source":"/s","type":"a","${name}":"x"}`
      const structured = await send(
        url + path,
        { 'content-type': 'application/cloudevents+json' },
        body,
      )
      expect(structured).toMatchObject({ status: 400, text: expect.stringContaining(name) })
      // Names of headers have no case.
      if (name !== 'toString') {
        const binary = await send(url + path, { ...ce, [`ce-${name}`]: 'x' })
        expect(binary).toMatchObject({ status: 400, text: expect.stringContaining(name) })
      }
      expect((await bus.list()).total).toBe(0)
    },
  )

  it.each([Mode.BINARY, Mode.STRUCTURED])(
    'keeps what the SDK of CloudEvents sends in its mode "%s"',
    async (mode) => {
      const samples: Record<string, unknown>[] = [
        { data: { hello: 'world', list: [1, null, true] } },
        { data: [1, 2] },
        { data: 'Hello, 🌎!', datacontenttype: 'text/plain; charset=utf-8' },
        { data: Buffer.from([0, 1, 254, 255]), datacontenttype: 'application/octet-stream' },
        { data: '<much wow="xml"/>', datacontenttype: 'application/xml' },
        // The SDK does not encode headers: other characters than these reach no receiver as they were.
        { subject: mode === Mode.BINARY ? 'one "two"' : 'größe "x" 100 %', data: {} },
        { dataschema: 'http://d.schema.com/my.json', data: {} },
        { time: new Date('2026-01-31T12:00:00Z').toISOString(), data: {} },
        { extension1: 'foobar', extension2: 'acme', data: {} },
      ]
      for (const sample of samples) {
        const served = await serve()
        const sent = new CloudEvent({
          ...{ id: 'b46cf653-d48a-4b90-8dfa-355c01061361', type: 'org.cncf.cloudevents.example' },
          source: 'urn:event:from:myapi/resource/123',
          ...sample,
        })
        const emit = emitterFor(httpTransport(served.url + path), { mode })
        await emit(sent)
        const { datacontenttype: _, ...kept } = JSON.parse(JSON.stringify(sent))
        expect(await stored(served)).toMatchObject(kept)
      }
    },
  )
})

it('takes the whole body as data at /api/webhook when a header names the type', async () => {
  const served = await serve()
  const event = { specversion: '1.0', id: 'inner', source: '/s', type: 'inner' }
  const headers = {
    'content-type': 'application/cloudevents+json',
    'x-nexus-event-type': 'outer',
  }
  const { status } = await send(`${served.url}/api/webhook`, headers, JSON.stringify(event))
  expect(status).toBe(202)
  expect(await stored(served)).toMatchObject({ type: 'outer', source: '/webhook', data: event })
})
