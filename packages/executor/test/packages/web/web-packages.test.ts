import type { RequestListener } from 'node:http'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { bodyOf, openServer } from '../../net/servers.js'
import { openRuntime } from '../../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000 })

// The logger of hono asks for it, here and in the sandbox, which has no environment.
beforeAll(() => {
  vi.stubEnv('NO_COLOR', undefined)
})

/** What the handler of a file gives in the sandbox, and what its function gives here. */
async function bothOutcomes(name: string, event: unknown, capabilities: string[] = []) {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const { value, error } = await runtime.executeCompiledHandler(compiled, { event, capabilities })
  expect(error).toBeUndefined()
  const { default: inNode } = await import(pathToFileURL(file).href)
  return { value, expected: JSON.parse(JSON.stringify(await inNode(event))) }
}

/** Sends server-sent events, each when the one before has left. */
function sendEvents(response: Parameters<RequestListener>[1], events: [string, unknown][]) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const [next, ...rest] = events
  const send = ([name, data]: [string, unknown], later: [string, unknown][]) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    response.write(`${name && `event: ${name}\n`}data: ${text}\n\n`)
    const [following, ...others] = later
    if (following) setImmediate(() => send(following, others))
    else response.end()
  }
  send(next!, rest)
}

it('hono keeps the body of every answer through its middleware', async () => {
  const { value, expected } = await bothOutcomes('hono', null)
  expect(value).toEqual(expected)
  expect(expected).toMatchObject({
    'all text': { status: 200, body: 'text of all' },
    'all echo': { body: 'sent' },
    notModified: { status: 304 },
    allowed: { status: 200 },
    refused: { status: 401 },
    packed: { body: 'packed '.repeat(500) },
    events: { body: expect.stringContaining('data: 2') },
  })
})

describe('clients that stream', () => {
  it('openai', async () => {
    const port = await openServer(async (request, response) => {
      const body = await bodyOf(request)
      if (request.url === '/models/missing') {
        response.writeHead(404, { 'content-type': 'application/json' })
        response.end('{"error":{"message":"no such model"}}')
      } else if (request.url === '/files') {
        response.setHeader('content-type', 'application/json')
        const isForm = /name="purpose"\r\n\r\nbatch[\s\S]*filename="batch.jsonl"[\s\S]*\{"a":1\}/
        response.end(JSON.stringify({ id: isForm.test(body) ? 'file-1' : 'no form' }))
      } else if (JSON.parse(body).stream) {
        const pieces = ['It ', 'is ', 'said: ', 'ü€']
        sendEvents(response, [
          ...pieces.map((content): [string, unknown] => [
            '',
            { choices: [{ delta: { content } }] },
          ]),
          ['', '[DONE]'],
        ])
      } else {
        response.setHeader('content-type', 'application/json')
        response.end('{"choices":[{"message":{"content":"whole"}}]}')
      }
    })
    const base = `http://127.0.0.1:${port}`
    const { value, expected } = await bothOutcomes('openai', base, [`net:127.0.0.1:${port}`])
    expect(value).toEqual(expected)
    expect(value).toMatchObject({ whole: 'whole', streamed: 'It is said: ü€', file: 'file-1' })
  })

  it('@anthropic-ai/sdk', async () => {
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [] }
    const usage = { input_tokens: 1, output_tokens: 0 }
    const port = await openServer(async (request, response) => {
      const body = await bodyOf(request)
      if (request.url?.startsWith('/v1/models')) {
        response.writeHead(404, { 'content-type': 'application/json' })
        response.end('{"type":"error","error":{"type":"not_found_error","message":"none"}}')
      } else if (JSON.parse(body).stream) {
        const delta = (text: string): [string, unknown] => [
          'content_block_delta',
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
        ]
        sendEvents(response, [
          ['message_start', { type: 'message_start', message: { ...message, usage } }],
          [
            'content_block_start',
            { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
          ],
          delta('It is '),
          delta('said'),
          ['content_block_stop', { type: 'content_block_stop', index: 0 }],
          [
            'message_delta',
            {
              type: 'message_delta',
              delta: { stop_reason: 'end_turn' },
              usage: { output_tokens: 7 },
            },
          ],
          ['message_stop', { type: 'message_stop' }],
        ])
      } else {
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({ ...message, content: [{ type: 'text', text: 'whole' }], usage }),
        )
      }
    })
    const base = `http://127.0.0.1:${port}`
    const { value, expected } = await bothOutcomes('anthropic', base, [`net:127.0.0.1:${port}`])
    expect(value).toEqual(expected)
    expect(value).toMatchObject({ texts: ['It is ', 'said'], usage: 7 })
  })
})
