import { expect, it } from 'vitest'
import { encodeEvent } from './cloud-event.js'

const defaults = { source: '/s', now: 0, maxEventBytes: 100_000 }
const encode = (input: object) => encodeEvent({ type: 'a', ...input } as never, defaults)

it.each<object>([
  { time: '2016-12-31T23:59:60Z' },
  { time: '2017-01-01T00:59:60+01:00' },
  { time: '2026-02-28T23:59:59.123456789Z' },
  { time: '2024-02-29t00:00:00z' },
  { time: '2026-01-01T00:00:00-23:59' },
  { data_base64: '' },
  { data_base64: 'AA==' },
  { data_base64: '////' },
  { count: 2147483647 },
  { count: -2147483648 },
  { flag: false },
  { type: 'order created' },
  { type: 'com.example.' },
  { type: 'größe.😀' },
  { constructor: 'x' },
  { a1b2: 'x' },
  { subject: 'snow ☃' },
  { data: 'control \u0000 and half \ud800' },
  { data: 'null' },
  { data: { a: null, b: 1e308 } },
])('accepts a valid event, and writes it as it was: %j', (input) => {
  const { event, json } = encode(input)
  expect(event).toMatchObject(input)
  expect(JSON.parse(json)).toEqual(event)
})

it.each<[string, object]>([
  ['time', { time: '2026-02-30T00:00:00Z' }],
  ['time', { time: '2025-02-29T00:00:00Z' }],
  ['time', { time: '2026-13-01T00:00:00Z' }],
  ['time', { time: '2026-01-01T24:00:00Z' }],
  ['time', { time: '2026-01-01T12:00:60Z' }],
  ['time', { time: '2026-01-01T00:00:00' }],
  ['time', { time: '2026-01-01' }],
  ['time', { time: '5' }],
  ['time', { time: 5 }],
  ['time', { time: new Date(Number.NaN) }],
  ['data_base64', { data_base64: '***' }],
  ['data_base64', { data_base64: 'AA' }],
  ['data_base64', { data_base64: 'A===' }],
  ['data_base64', { data_base64: 'AA-_' }],
  ['data_base64', { data: 1, data_base64: 'AA==' }],
  ['count', { count: 2147483648 }],
  ['count', { count: -2147483649 }],
  ['count', { count: 1.5 }],
  ['count', { count: Number.POSITIVE_INFINITY }],
  ['count', { count: {} }],
  ['data', { data: { deep: [Number(JSON.parse('1e400'))] } }],
  ['data', { data: Number.NaN }],
  ['data', { data: 1n }],
  ['id', { id: 'a\u0000b' }],
  ['id', { id: '' }],
  ['id', { id: 'half \ud800' }],
  ['id', { id: '\udc00 half' }],
  ['subject', { subject: 'line\nbreak' }],
  ['subject', { subject: '' }],
  ['source', { source: 'tab\t' }],
  ['note', { note: '\uffff' }],
  ['type', { type: '' }],
  ['type', { type: 'a.*' }],
  ['type', { type: 'a.>' }],
  ['type', { type: 'ä'.repeat(257) }],
  ['Upper', { Upper: 'x' }],
  ['with-dash', { 'with-dash': 'x' }],
  ['specversion', { specversion: '0.3' }],
])('refuses an invalid event, and names the attribute: %s %#', (attribute, input) => {
  expect(() => encode(input)).toThrow(
    expect.objectContaining({
      code: 'INVALID_EVENT',
      details: expect.objectContaining({ attribute }),
    }),
  )
})

it('describes anything that a toJSON throws', () => {
  for (const thrown of [{ toString: null }, null, undefined, Symbol('s'), new Error('plain')]) {
    const toJSON = (): never => {
      throw thrown
    }
    expect(() => encode({ data: { toJSON } })).toThrow(
      expect.objectContaining({
        code: 'INVALID_EVENT',
        message: expect.stringMatching(/^data: expected JSON, got ./),
      }),
    )
  }
})
