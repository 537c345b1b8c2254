import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, type Served, serve } from './workspace.js'

const undo: (() => Promise<void>)[] = []
let served: Served

beforeAll(async () => {
  served = await serve({ 'nexus.yaml': 'functions: []\n' }, {}, (step) => undo.unshift(step))
})
afterAll(async () => {
  for (const step of undo) await step()
})

describe('a request that makes no sense is refused, and nothing is stored', () => {
  it.each([
    ['a body that is not JSON', '/api/webhook', json('{"type":'), 400, 'INVALID_JSON'],
    ['an empty body', '/api/webhook', json(''), 400, 'INVALID_JSON'],
    ['no body at all', '/api/webhook', { method: 'POST' }, 400, 'INVALID_JSON'],
    ['an event without a type', '/api/webhook', json({ data: 1 }), 400, 'TYPE_REQUIRED'],
    ['JSON that is no object', '/api/webhook', json([1]), 400, 'TYPE_REQUIRED'],
    [
      'a type with a control character',
      '/api/webhook',
      json({ type: 'a\u0007' }),
      400,
      'INVALID_EVENT',
    ],
    [
      'an endless id',
      '/api/webhook',
      json({ type: 'a', id: 'x'.repeat(9999) }),
      400,
      'INVALID_EVENT',
    ],
    [
      'a body without end',
      '/api/webhook',
      json({ type: 'a', data: 'x'.repeat(5_000_000) }),
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'brackets without end',
      '/api/webhook',
      json(`{"type":"a","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      400,
      'TOO_DEEP',
    ],
    ['an unknown route', '/api/nothing', {}, 404, 'NOT_FOUND'],
    ['an unknown method', '/api/events', { method: 'DELETE' }, 404, 'NOT_FOUND'],
    ['an unknown event', '/api/events/none', {}, 404, 'EVENT_NOT_FOUND'],
    ['a replay of an unknown event', '/api/events/none/replay', json({}), 404, 'EVENT_NOT_FOUND'],
    ['a limit of nothing', '/api/events?limit=0', {}, 400, 'INVALID_QUERY'],
    ['a limit that is too high', '/api/events?limit=1001', {}, 400, 'INVALID_QUERY'],
    ['a cursor that is none', '/api/events?cursor=x', {}, 400, 'INVALID_OPTIONS'],
    ['an unknown filter', '/api/events?tpye=a', {}, 400, 'INVALID_QUERY'],
    ['a broken escape', '/api/events/%E0%A4%A', {}, 400, 'BAD_URL'],
    [
      'a CloudEvent without source',
      '/api/events',
      json(
        { specversion: '1.0', id: '1', type: 'a' },
        { 'content-type': 'application/cloudevents+json' },
      ),
      400,
      'INVALID_EVENT',
    ],
    [
      'a batch with one bad event',
      '/api/events',
      json(
        [
          { specversion: '1.0', id: '1', type: 'a', source: '/s' },
          { specversion: '1.0', id: '2', source: '/s' },
        ],
        { 'content-type': 'application/cloudevents-batch+json' },
      ),
      400,
      'INVALID_EVENT',
    ],
  ] satisfies [string, string, RequestInit, number, string][])(
    '%s',
    async (_name, path, init, status, code) => {
      const { send, client } = served
      const response = await send(path, init)
      expect(response.status).toBe(status)
      const { error } = (await response.json()) as { error: { code: string; message: string } }
      expect(error.code).toBe(code)
      expect(error.message).toMatch(/\S/)
      expect(await client.listEvents()).toEqual({ events: [], total: 0 })
      expect((await send('/healthz')).status).toBe(200)
    },
  )

  it('bytes that are not UTF-8', async () => {
    const { send } = served
    const body = Buffer.concat([Buffer.from('{"type":"a'), Buffer.from([0xff]), Buffer.from('"}')])
    expect((await send('/api/webhook', { ...json(''), body })).status).toBe(400)
  })
})
