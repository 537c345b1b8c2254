import { HTTP, CloudEvent as SdkEvent } from 'cloudevents'
import { describe, expect, it } from 'vitest'
import type { CloudEvent } from '../event/cloud-event.js'
import {
  cloudEventsMode,
  formatBatched,
  formatBinary,
  formatStructured,
  parseCloudEvents,
} from './cloud-events.js'

const event: CloudEvent = {
  specversion: '1.0',
  id: 'a-1',
  source: '/shop',
  type: 'com.example.paid',
  time: '2026-01-31T12:00:00Z',
  subject: 'Zoë "and" 100 %',
  tenant: 'acme',
  datacontenttype: 'application/json',
  data: { total: 3 },
}

describe('CloudEvents over HTTP', () => {
  it('go out and come back the same in every mode', () => {
    expect(parseCloudEvents(formatStructured(event))).toEqual([event])
    expect(parseCloudEvents(formatBinary(event))).toEqual([event])
    expect(parseCloudEvents(formatBatched([event, { ...event, id: 'a-2' }]))).toEqual([
      event,
      { ...event, id: 'a-2' },
    ])
  })

  it('carry attributes in headers as the binding says', () => {
    expect(formatBinary(event).headers['ce-subject']).toBe('Zo%C3%AB%20%22and%22%20100%20%25')
    expect(formatBinary(event).headers['content-type']).toBe('application/json')
  })

  it('carry text and bytes as they are', () => {
    const text: CloudEvent = { ...event, datacontenttype: 'text/plain', data: 'hello' }
    expect(formatBinary(text).body).toBe('hello')
    expect(parseCloudEvents(formatBinary(text))).toEqual([text])
    const { data: _, ...rest } = event
    const bytes = { ...rest, datacontenttype: 'image/png', data_base64: 'AAEC/w==' } as CloudEvent
    expect(formatBinary(bytes).body).toEqual(Buffer.from([0, 1, 2, 255]))
    expect(parseCloudEvents(formatBinary(bytes))).toEqual([bytes])
  })

  it('take the trace context of the request unless the event has its own', () => {
    const { headers, body } = formatBinary(event)
    const traced = { headers: { ...headers, traceparent: '00-a-b-01' }, body }
    expect(parseCloudEvents(traced)[0]?.traceparent).toBe('00-a-b-01')
    const own = { headers: { ...traced.headers, 'ce-traceparent': '00-c-d-01' }, body }
    expect(parseCloudEvents(own)[0]?.traceparent).toBe('00-c-d-01')
  })

  it('are told from other requests', () => {
    expect(cloudEventsMode({ 'content-type': 'application/json' })).toBe(undefined)
    expect(cloudEventsMode({ 'content-type': 'Application/CloudEvents+JSON; charset=utf-8' })).toBe(
      'structured',
    )
    expect(cloudEventsMode(formatBinary(event).headers)).toBe('binary')
  })

  it.each([
    ['broken JSON', 'application/cloudevents+json', '{', /body: expected JSON/],
    [
      'an event without a type',
      'application/cloudevents+json',
      '{"specversion":"1.0","id":"1","source":"/"}',
      /type: expected/,
    ],
    [
      'a batch that is not an array',
      'application/cloudevents-batch+json',
      '{}',
      /expected an array/,
    ],
    ['a batch of numbers', 'application/cloudevents-batch+json', '[1]', /event 0 of the batch/],
    ['plain JSON', 'application/json', '{}', /content-type: expected/],
  ])('refuse %s', (_, type, body, message) => {
    expect(() => parseCloudEvents({ headers: { 'content-type': type }, body })).toThrow(message)
  })

  it('refuse headers that are not UTF-8', () => {
    const message = { headers: { ...formatBinary(event).headers, 'ce-subject': '%E4' }, body: '' }
    expect(() => parseCloudEvents(message)).toThrow(/ce-subject: expected percent-encoded/)
  })
})

describe('bodies of CloudEvents', () => {
  const ce = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' }
  const binary = (headers: Record<string, string>, body: string | Uint8Array) =>
    parseCloudEvents({ headers: { ...ce, ...headers }, body })[0]!

  it('are text in the charset that they name, or bytes', () => {
    const latin1 = Buffer.from('caf\xe9 \x80', 'latin1')
    expect(binary({ 'content-type': 'text/plain; charset=iso-8859-1' }, latin1).data).toBe(
      'café \x80',
    )
    expect(binary({ 'content-type': 'text/plain; charset="UTF-8"' }, Buffer.from('é')).data).toBe(
      'é',
    )
    expect(
      binary({ 'content-type': 'text/plain; charset=utf-16le' }, Buffer.from('é', 'utf16le')).data,
    ).toBe('é')
    for (const type of [
      'text/plain',
      'text/plain; charset=ascii',
      'text/plain; charset=none-such',
      'image/png',
    ]) {
      const event = binary({ 'content-type': type }, latin1)
      expect(event).not.toHaveProperty('data')
      expect(event.data_base64).toBe(latin1.toString('base64'))
    }
  })

  it('go out in UTF-8, whatever charset they came in', () => {
    const came = binary({ 'content-type': 'text/plain; charset=iso-8859-1' }, Buffer.from([0xe9]))
    const { headers, body } = formatBinary({ ...(came as CloudEvent), time: event.time })
    expect([headers['content-type'], body]).toEqual(['text/plain; charset=utf-8', 'é'])
  })

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a number that no double holds', Buffer.from('{"n":[1e400]}')],
    ['brackets without end', Buffer.from('['.repeat(100_000) + ']'.repeat(100_000))],
    ['257 levels', Buffer.from('['.repeat(257) + ']'.repeat(257))],
  ])('are refused as JSON with %s, in each mode', (_, body) => {
    const refused = expect.objectContaining({
      code: expect.stringMatching(/INVALID_JSON|TOO_DEEP/),
    })
    const attempt = (headers: Record<string, string>, text: Uint8Array) => {
      try {
        return parseCloudEvents({ headers, body: text })
      } catch (error) {
        return error
      }
    }
    const around = Buffer.concat([
      Buffer.from('{"specversion":"1.0","id":"1","source":"/s","type":"a","data":'),
      body,
      Buffer.from('}'),
    ])
    const batch = Buffer.concat([Buffer.from('['), around, Buffer.from(']')])
    expect(attempt({ ...ce, 'content-type': 'application/json' }, body)).toEqual(refused)
    expect(attempt({ 'content-type': 'application/cloudevents+json' }, around)).toEqual(refused)
    expect(attempt({ 'content-type': 'application/cloudevents-batch+json' }, batch)).toEqual(
      refused,
    )
  })

  it('keep 256 levels', () => {
    const body = '['.repeat(256) + ']'.repeat(256)
    expect(JSON.stringify(binary({ 'content-type': 'application/json' }, body).data)).toBe(body)
  })
})

describe('headers of CloudEvents', () => {
  const ce = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' }
  const read = (headers: Record<string, string>) =>
    parseCloudEvents({ headers: { ...ce, ...headers }, body: '' })[0]!

  it.each([
    ['"quoted"', 'quoted'],
    ['"a \\"b\\" \\\\"', 'a "b" \\'],
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['"%20%22"', ' "'],
    ['%2520', '%20'],
    ['say "no"', 'say "no"'],
    [Buffer.from('Zoë').toString('latin1'), 'Zoë'],
  ])('%j is %j', (value, expected) => {
    expect(read({ 'ce-subject': value }).subject).toBe(expected)
  })

  it.each([['%E4'], ['%'], ['%zz'], ['caf\xe9']])('%j is refused', (value) => {
    expect(() => read({ 'ce-subject': value })).toThrow(
      /ce-subject: expected percent-encoded UTF-8/,
    )
  })

  it('may be extensions with the names of what every object has', () => {
    expect(read({ 'ce-constructor': 'c', 'ce-tostring': 't' })).toMatchObject({
      constructor: 'c',
      tostring: 't',
    })
    // Not a name that CloudEvents allows: it must be there for the bus to refuse it.
    expect(Object.hasOwn(read({ 'ce-__proto__': 'x' }), '__proto__')).toBe(true)
  })

  it.each(['data', 'data_base64', 'datacontenttype'])('cannot bring %s', (name) => {
    expect(() => read({ [`ce-${name}`]: 'x' })).toThrow(/the data is the body/)
  })
})

describe('the CloudEvents SDK', () => {
  const sample = new SdkEvent({
    id: 'sdk-1',
    type: 'com.example.sdk',
    source: 'https://example.com/sdk',
    subject: 'one',
    time: '2026-01-31T12:00:00.000Z',
    extensionname: 'value',
    data: { hello: 'world' },
  })

  it('sends what is understood here, in both of its modes', () => {
    for (const message of [HTTP.binary(sample), HTTP.structured(sample)]) {
      const headers = Object.fromEntries(
        Object.entries(message.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
      )
      const [read] = parseCloudEvents({ headers, body: String(message.body) })
      expect(read).toMatchObject({
        id: 'sdk-1',
        type: 'com.example.sdk',
        source: 'https://example.com/sdk',
        subject: 'one',
        extensionname: 'value',
        data: { hello: 'world' },
      })
    }
  })

  it('understands what is sent from here', () => {
    for (const { headers, body } of [formatBinary(event), formatStructured(event)]) {
      const read = HTTP.toEvent({ headers: headers as Record<string, string>, body: String(body) })
      expect(read).toMatchObject({ id: 'a-1', source: '/shop', tenant: 'acme', data: { total: 3 } })
    }
  })
})
