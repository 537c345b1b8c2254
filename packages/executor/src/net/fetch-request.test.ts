import { describe, expect, it } from 'vitest'
import { checkRequest, checkUrl, decodePart, decodeRequest } from './fetch-request.js'

const asked = (part: object) => ({
  url: 'http://a.example/',
  method: 'POST',
  headers: [],
  redirect: 'follow',
  ...part,
})

const CONNECTION_HEADERS = [
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]

describe('of what a guest asks to fetch', () => {
  it.each(CONNECTION_HEADERS)('the header %s is the host’s, in any spelling', (name) => {
    for (const spelled of [name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)]) {
      const headers = [
        [spelled, 'x'],
        ['x-mine', 'y'],
      ]
      const { headers: sent } = checkRequest(asked({ headers }), 10)
      expect([...sent]).toEqual([['x-mine', 'y']])
    }
  })

  it.each(['CONNECT', 'TRACE', 'TRACK', 'connect', 'Trace', 'tRaCk'])(
    'the method %s is refused',
    (method) => {
      expect(() => checkRequest(asked({ method }), 10)).toThrow('is forbidden')
    },
  )

  it.each([
    ['http://user@a.example/', 'user name'],
    ['http://:password@a.example/', 'user name'],
    ['file:///etc/passwd', 'http or https'],
    ['ftp://a.example/', 'http or https'],
    ['data:text/plain,x', 'http or https'],
    ['javascript:1', 'http or https'],
    ['//a.example', 'not a URL'],
  ])('the address %s is refused, as is a redirect to it', (url, why) => {
    expect(() => checkRequest(asked({ url }), 10)).toThrow(why)
    if (!url.startsWith('//')) {
      expect(() => checkUrl(url, new URL('https://b.example/'))).toThrow(why)
    }
  })

  it('the body may be exactly as long as its limit', () => {
    expect(checkRequest(asked({ body: new Uint8Array(10) }), 10).body).toHaveLength(10)
    expect(() => checkRequest(asked({ body: new Uint8Array(11) }), 10)).toThrow(
      expect.objectContaining({ code: 'RESOURCE_LIMIT' }),
    )
  })

  it.each([
    [
      'its address',
      { url: `http://a/${'x'.repeat(16_375)}` },
      { url: `http://a/${'x'.repeat(16_376)}` },
    ],
    ['its method', { method: 'M'.repeat(32) }, { method: 'M'.repeat(33) }],
    ['its method', { method: 'PATCH' }, { method: 'PA TCH' }],
    [
      'the number of its headers',
      { headers: Array(256).fill(['a', 'b']) },
      { headers: Array(257).fill(['a', 'b']) },
    ],
    ['what its redirects do', { redirect: 'manual' }, { redirect: 'never' }],
    ['what it is made of', {}, { dispatcher: {} }],
    ['its body', { body: new Uint8Array(1) }, { body: 'text' }],
  ])('%s is bounded', (_what, good, bad) => {
    expect(() => checkRequest(asked(good), 10)).not.toThrow()
    expect(() => checkRequest(asked(bad), 10)).toThrow('wrong arguments')
  })
})

it('what is no text of the codec is no request, and no part of a body', () => {
  for (const text of ['', '=', '=1', '[', '[[1]]', '=[]', 'x']) {
    expect(decodeRequest(text)).toBeUndefined()
    expect(decodePart(text)).toBeUndefined()
  }
})
