import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { openServer } from './net/servers.js'
import { handler, openRuntime } from './runtimes.js'

/** Answers whose head is sent, and whose body waits until `/go` is asked for. */
const held: ServerResponse[] = []
const port = await openServer((request, response) => {
  if (request.url === '/held') {
    response.flushHeaders()
    held.push(response)
    return
  }
  for (const waiting of held.splice(0)) waiting.end('x')
  request.resume().on('end', () => response.end('y'))
})
const at = (path: string) => `'http://127.0.0.1:${port}${path}'`

/** What asks the host `COUNT` times for one kind of work, and for next to nothing else. */
const KINDS: Record<string, string> = {
  'ctx.emit': 'for (let i = 0; i < COUNT; i++) await ctx.emit("a", i)',
  'ctx.call': 'for (let i = 0; i < COUNT; i++) await ctx.call("host", "take")',
  'a timer': 'for (let i = 0; i < COUNT; i++) setTimeout(() => {}, 0)',
  fetch: `for (let i = 0; i < COUNT; i++) await fetch(${at('/')}).catch((e) => { if (e.code) throw e })`,
  'the body of an answer': `
    const answers = await Promise.all(Array.from({ length: COUNT / 2 }, () => fetch(${at('/held')})))
    const texts = Promise.all(answers.map((answer) => answer.text()))
    await fetch(${at('/go')})
    await texts`,
  // Smaller parts may go together.
  'a part of the body of a request': `
    const PART = 65_537
    let left = COUNT
    const body = new ReadableStream({
      pull(c) { if (left-- > 0) c.enqueue(new Uint8Array(PART)); else c.close() },
    })
    await fetch(${at('/')}, { method: 'POST', body, duplex: 'half' }).then((answer) => answer.text())`,
  'native work':
    'for (let i = 0; i < COUNT; i++) await crypto.subtle.digest("SHA-256", new Uint8Array(1))',
}

const COUNT = 30

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('each kind of host call counts, %s', (_, runtime) => {
  runtime.extend('host', { take: () => 1 })

  it.each(Object.entries(KINDS))('%s', async (_kind, body) => {
    const code = handler(`const COUNT = ${COUNT}; ${body}`)
    const run = (maxHostCalls: number) =>
      runtime.executeHandler(
        code,
        { event: null, capabilities: ['events:emit:a', 'ext:host', 'net:127.0.0.1:*'] },
        { maxHostCalls, maxFetches: 1_000, maxRequestBytes: 16 * 1024 * 1024 },
      )
    expect(await run(10 * COUNT)).toMatchObject({ status: 'success' })
    // What else the program does is less than two thirds of this.
    expect((await run((COUNT * 2) / 3)).error?.code).toBe('RESOURCE_LIMIT')
  })
})
