import { describe, expect, it } from 'vitest'
import {
  cloudEventsMode,
  formatBatched,
  formatBinary,
  formatStructured,
  parseCloudEvents,
} from './cloud-events-http.js'
import type { CloudEvent } from './event/cloud-event.js'

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
