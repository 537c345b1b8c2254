import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
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

describe('responses that come at once', () => {
  /** Answers every request with a body of 2,000 bytes at once, and ends it when told to. */
  async function openServer() {
    const finish: (() => void)[] = []
    const server = createServer((_request, response) => {
      response.write(Buffer.alloc(2000))
      finish.push(() => response.end())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const fetcher = new Fetcher(async () => [])
    onTestFinished(async () => {
      await fetcher.close()
      server.closeAllConnections()
      server.close()
    })
    const ask = (id: number, memoryLimitBytes: number) => {
      const capabilities = [`net:127.0.0.1:${port}`]
      const limits = { ...call.limits, memoryLimitBytes }
      const url = `http://127.0.0.1:${port}/`
      return fetcher.fetch({ ...call, capabilities, limits }, id, { ...request, url })
    }
    return { ask, finish }
  }

  it('may fill the memory limit together', async () => {
    const { ask, finish } = await openServer()
    const fetches = [ask(1, 4000), ask(2, 4000)]
    await expect.poll(() => finish.length).toBe(2)
    for (const end of finish) end()
    expect(await Promise.all(fetches)).toHaveLength(2)
  })

  it('are refused above it, and hold nothing once they are over', async () => {
    const { ask, finish } = await openServer()
    const fetches = [ask(1, 3999), ask(2, 3999)]
    await expect(Promise.race(fetches)).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
    for (const end of finish) end()
    const settled = await Promise.allSettled(fetches)
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const next = ask(3, 3999)
    await expect.poll(() => finish.length).toBe(3)
    finish[2]!()
    await expect(next).resolves.toMatchObject({ status: 200 })
  })
})

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
