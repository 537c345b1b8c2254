import { createHash, createHmac } from 'node:crypto'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { Webhook } from './webhook.js'

const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text)
const nowMs = 1_700_000_000_000
const seconds = String(nowMs / 1000)
const json = { 'content-type': 'application/json' }
const refused = expect.objectContaining({ code: 'SIGNATURE_INVALID' })
const receive = (webhook: Webhook, headers: Record<string, string>, body: string, at = nowMs) => {
  try {
    return webhook.receive({ headers: { ...json, ...headers }, body }, at)
  } catch (error) {
    return error
  }
}

describe('a Standard Webhook', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const other = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
  const body = '{"type":"user.created","data":{"n":1}}'
  const webhook = new Webhook({
    scheme: 'standard-webhooks',
    secrets: [other, secret],
    type: 'com.acme',
  })
  const signed = (id = 'msg_1', key = secret, atMs = nowMs) => ({
    'webhook-id': id,
    'webhook-timestamp': String(atMs / 1000),
    'webhook-signature': new StandardWebhook(key).sign(id, new Date(atMs), body),
  })

  it('has the signature of the vector in the specification', () => {
    const vector = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    expect(receive(webhook, vector, '{"test": 2432232314}', 1_614_265_330_000)).toEqual({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      source: '/webhooks',
      time: '2021-02-25T15:02:10.000Z',
      type: 'com.acme',
      data: { test: 2432232314 },
    })
  })

  it('is taken as its own library signs it, with each secret of a rotation', () => {
    for (const key of [secret, other]) {
      expect(receive(webhook, signed('msg_2', key), body)).toMatchObject({
        id: 'msg_2',
        type: 'com.acme.user.created',
      })
    }
    const both = signed()
    both['webhook-signature'] = `v1,AAAA v2,x ${both['webhook-signature']}`
    expect(receive(webhook, both, body)).toMatchObject({ id: 'msg_1' })
  })

  it.each([
    ['an id that was changed', { 'webhook-id': 'msg_9' }],
    ['a time that was changed', { 'webhook-timestamp': String(nowMs / 1000 + 1) }],
    ['a time that is no number', { 'webhook-timestamp': 'now' }],
    ['no signature', { 'webhook-signature': '' }],
    ['a signature of another version', { 'webhook-signature': 'v2,AAAA' }],
    ['a short signature', { 'webhook-signature': 'v1,AAAA' }],
  ])('is refused with %s', (_, change) => {
    expect(receive(webhook, { ...signed(), ...change }, body)).toEqual(refused)
  })

  it('is refused with another secret, another body, and outside the tolerance, on both sides', () => {
    expect(receive(webhook, signed('msg_1', 'whsec_AAAAAAAAAAAA'), body)).toEqual(refused)
    expect(receive(webhook, signed(), `${body} `)).toEqual(refused)
    for (const side of [-1, 1]) {
      const at = (ms: number) => receive(webhook, signed(), body, nowMs + side * ms)
      expect(at(300_000)).toMatchObject({ id: 'msg_1' })
      expect(at(300_001)).toEqual(refused)
    }
  })

  it('does not start with a secret that is not base64, and does not show it', () => {
    const make = () =>
      new Webhook({ scheme: 'standard-webhooks', secrets: ['whsec_%hunter2%'], type: 'a' })
    expect(make).toThrow(/whsec_<base64>/)
    expect(make).not.toThrow(/hunter2/)
  })
})

describe("GitHub's webhook", () => {
  const secret = "It's a Secret to Everybody"
  const webhook = new Webhook({ scheme: 'github', secrets: [secret], type: 'com.github' })
  const sign = (body: string) => ({
    'x-hub-signature-256': `sha256=${hmac(secret, body).digest('hex')}`,
  })

  it('has the signature of the vector in the documentation', () => {
    const headers = {
      'content-type': 'text/plain',
      'x-hub-signature-256':
        'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    }
    expect(receive(webhook, headers, 'Hello, World!')).toEqual({
      id: createHash('sha256').update('Hello, World!').digest('hex'),
      source: '/webhooks',
      type: 'com.github',
      datacontenttype: 'text/plain',
      data: 'Hello, World!',
    })
  })

  it('chooses by its unsigned header no type but one below the configured one', () => {
    for (const [name, type] of [
      ['push', 'com.github.push'],
      ['com.admin.delete', 'com.github.com.admin.delete'],
      ['com.github.push', 'com.github.push'],
      ['com.githubx', 'com.github.com.githubx'],
      ['', 'com.github'],
    ] as const) {
      expect(receive(webhook, { ...sign('{}'), 'x-github-event': name }, '{}')).toMatchObject({
        type,
      })
    }
  })

  it('is the same event when it is sent again under another id or another name', () => {
    const ids = ['a', 'b'].map((name) => {
      const headers = { ...sign('{}'), 'x-github-delivery': name, 'x-github-event': name }
      return (receive(webhook, headers, '{}') as { id: string }).id
    })
    expect(new Set(ids).size).toBe(1)
  })

  it('is read from a form as well', () => {
    const body = `payload=${encodeURIComponent('{"zen":"é & +"}')}`
    const headers = { ...sign(body), 'content-type': 'application/x-www-form-urlencoded' }
    const event = receive(webhook, headers, body)
    expect(event).toMatchObject({ data: { zen: 'é & +' } })
    expect(event).not.toHaveProperty('datacontenttype')
  })

  it('is refused without its signature or with that of another body', () => {
    for (const headers of [{}, sign('{"a":1}'), { 'x-hub-signature-256': 'sha256=' }]) {
      expect(receive(webhook, headers, '{}')).toEqual(refused)
    }
  })
})

describe("Stripe's webhook", () => {
  const secret = 'whsec_test_secret'
  const webhook = new Webhook({ scheme: 'stripe', secrets: [secret], type: 'com.stripe' })
  const body = '{"id":"evt_1","object":"event","type":"invoice.paid"}'
  const v1 = (text = body, key = secret) => hmac(key, `${seconds}.${text}`).digest('hex')

  it('is taken with its signed id, type and time', () => {
    const headers = {
      'stripe-signature': `t=${seconds},v1=${v1(body, 'old-secret')},v1=${v1()},v0=x`,
    }
    expect(receive(webhook, headers, body)).toMatchObject({
      id: 'evt_1',
      type: 'com.stripe.invoice.paid',
      time: new Date(nowMs).toISOString(),
    })
  })

  it('is refused when it is old, changed, or signed by another scheme', () => {
    const good = { 'stripe-signature': `t=${seconds},v1=${v1()}` }
    expect(receive(webhook, good, body, nowMs + 300_001)).toEqual(refused)
    expect(receive(webhook, good, body.replace('evt_1', 'evt_2'))).toEqual(refused)
    for (const text of [`t=${seconds},v0=${v1()}`, `v1=${v1()}`, `t=x,v1=${v1()}`, '', 't', 'v1']) {
      expect(receive(webhook, { 'stripe-signature': text }, body)).toEqual(refused)
    }
  })
})

describe('a webhook with a plain HMAC', () => {
  const secret = 'a-shared-secret'
  const webhook = new Webhook({
    scheme: 'hmac',
    secrets: [secret],
    type: 'com.shop',
    signatureHeader: 'X-Shop-Hmac',
    typeHeader: 'X-Shop-Topic',
  })

  it('is taken as hex and as base64', () => {
    for (const signature of [
      hmac(secret, '{}').digest('hex'),
      `sha256=${hmac(secret, '{}').digest('hex')}`,
      hmac(secret, '{}').digest('base64'),
    ]) {
      const headers = { 'x-shop-hmac': signature, 'x-shop-topic': 'order' }
      expect(receive(webhook, headers, '{}')).toMatchObject({ type: 'com.shop.order', data: {} })
    }
    expect(receive(webhook, { 'x-shop-hmac': 'AAAA' }, '{}')).toEqual(refused)
    expect(receive(webhook, { 'x-signature': hmac(secret, '{}').digest('hex') }, '{}')).toEqual(
      refused,
    )
  })

  it('is the only scheme with headers of its own', () => {
    expect(
      () => new Webhook({ scheme: 'github', secrets: [secret], type: 'a', typeHeader: 'x' }),
    ).toThrow(/typeHeader: expected only with the scheme hmac/)
  })
})
