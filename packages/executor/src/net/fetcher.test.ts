import { createServer, type ServerResponse } from 'node:http'
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
  /** Answers every request with a head; then, when told to, with a body of 2,000 bytes and its end. */
  async function openServer() {
    const answers: ServerResponse[] = []
    const server = createServer((_request, response) => {
      response.flushHeaders()
      answers.push(response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const fetcher = new Fetcher(async () => [])
    onTestFinished(async () => {
      await fetcher.close()
      server.closeAllConnections()
      server.close()
    })
    /** Waits for the heads of some answers, then gathers all of each, as `text()` does. */
    const gather = async (ids: number[], memoryLimitBytes: number) => {
      const limits = { ...call.limits, memoryLimitBytes }
      const asking = { ...call, capabilities: [`net:127.0.0.1:${port}`], limits }
      const url = `http://127.0.0.1:${port}/`
      await Promise.all(ids.map((id) => fetcher.fetch(asking, id, { ...request, url })))
      return ids.map(async (id) => (await fetcher.read(asking, id, true)).bytes.length)
    }
    const send = () => Promise.all(answers.map((answer) => written(answer, Buffer.alloc(2000))))
    const end = () => {
      for (const answer of answers.splice(0)) answer.end()
    }
    return { gather, send, end }
  }
  const written = (answer: ServerResponse, bytes: Buffer) =>
    new Promise<void>((resolve) => answer.write(bytes, () => resolve()))

  it('may fill the memory limit together', async () => {
    const { gather, send, end } = await openServer()
    const reads = await gather([1, 2], 4000)
    await send()
    end()
    expect(await Promise.all(reads)).toEqual([2000, 2000])
  })

  it('are refused above it, and hold nothing once they are over', async () => {
    const { gather, send, end } = await openServer()
    const reads = await gather([1, 2], 3999)
    await send()
    await expect(Promise.race(reads)).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
    end()
    const settled = await Promise.allSettled(reads)
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const next = await gather([3], 3999)
    await send()
    end()
    expect(await Promise.all(next)).toEqual([2000])
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
