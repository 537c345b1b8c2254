import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

/** What the clients ask, answered as the services do. */
function answer({
  method,
  url = '',
  headers,
}: IncomingMessage): [status: number, headers: object, body: string] {
  const target = headers['x-amz-target']
  if (target === 'DynamoDB_20120810.GetItem') {
    return [
      200,
      { 'content-type': 'application/x-amz-json-1.0' },
      '{"Item":{"id":{"S":"1"},"n":{"N":"5"}}}',
    ]
  }
  if (target) return [200, { 'content-type': 'application/x-amz-json-1.0' }, '{}']
  if (url.startsWith('/rest/v1/people')) {
    const isInsert = method === 'POST'
    return [
      isInsert ? 201 : 200,
      { 'content-type': 'application/json' },
      isInsert ? '{"id":7,"name":"x"}' : '[{"id":1,"name":"a"}]',
    ]
  }
  if (url.startsWith('/rest/')) {
    return [
      404,
      { 'content-type': 'application/json' },
      '{"code":"42P01","message":"no such table"}',
    ]
  }
  if (url.includes('missing')) {
    return [
      404,
      { 'content-type': 'application/xml' },
      '<Error><Code>NoSuchKey</Code><Message>not here</Message></Error>',
    ]
  }
  return method === 'PUT'
    ? [200, { etag: '"e"' }, '']
    : [200, { 'content-type': 'text/plain' }, 'stored text']
}

let server: Server
let endpoint: string
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const [status, headers, body] = answer(request)
      response.writeHead(status, headers as Record<string, string>).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.closeAllConnections())
afterAll(() => void server.close())

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000 })

it.each(['aws', 'supabase'])('%s talks to its service as it does in Node', async (name) => {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const compiled = await runtime.precompileFile(file)
  const capabilities = [`net:${new URL(endpoint).host}`]
  const { value, error } = await runtime.executeCompiledHandler(compiled, {
    event: { endpoint },
    capabilities,
  })
  expect(error).toBeUndefined()
  const inNode = await import(pathToFileURL(file).href)
  expect(value).toEqual(JSON.parse(JSON.stringify(await inNode.default({ endpoint }))))
})
