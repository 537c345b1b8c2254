import { afterAll, describe, expect, it } from 'vitest'
import type { CallRequest } from '../call/call.js'
import { Fetcher } from './fetcher.js'

const call: CallRequest = {
  id: 7,
  handlerKey: 'key',
  eventJson: 'null',
  contextJson: undefined,
  capabilities: ['net:stalled.test'],
  isolation: 'pristine',
  limits: {
    timeoutMs: 1000,
    memoryLimitBytes: 1e6,
    maxHostCalls: 10,
    maxResultBytes: 1e6,
    maxLogBytes: 1e6,
    maxFetches: 10,
    maxRequestBytes: 1e6,
    maxResponseBytes: 1e6,
  },
  submittedAt: 0,
}
const request = {
  url: 'http://stalled.test/',
  method: 'GET',
  headers: [],
  body: undefined,
  redirect: 'follow',
}

describe('a guest that bypasses its prelude', () => {
  const fetcher = new Fetcher(() => new Promise(() => {}))
  afterAll(() => fetcher.close())

  it('cannot use one id for two fetches, and both would have ended with the call', async () => {
    const first = fetcher.fetch(call, 1, request)
    await expect(fetcher.fetch(call, 1, request)).rejects.toThrow('wrong arguments')
    fetcher.callOver(call.id)
    await expect(first).rejects.toThrow('no answer from http://stalled.test')
  })

  it.each([
    undefined,
    5,
    [],
    {},
    { ...request, url: 5 },
    { ...request, method: 'GET /' },
    { ...request, method: 'connect' },
    { ...request, headers: [['a']] },
    { ...request, headers: [['a b', 'c']] },
    { ...request, headers: [['a', 'b\r\nhost: evil.test']] },
    { ...request, body: 'text' },
    { ...request, redirect: 'elsewhere' },
    { ...request, dispatcher: {} },
    { ...request, url: 'http://u:p@stalled.test/' },
    { ...request, url: 'file:///etc/passwd' },
  ])('asks for nothing with %j', async (asked) => {
    await expect(fetcher.fetch(call, 2, asked)).rejects.toThrow(TypeError)
    fetcher.callOver(call.id)
  })
})
