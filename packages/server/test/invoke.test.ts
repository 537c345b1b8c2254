import { WasmRuntime } from '@nexus/executor'
import { type FunctionDefinition, FunctionHost } from '@nexus/functions'
import { expect, it, onTestFinished } from 'vitest'
import { json, serve } from './serve.js'

const functions: FunctionDefinition[] = [
  { name: 'echo', source: 'export default (event) => event.data', events: 'a' },
  {
    name: 'broken',
    source: "export default () => { throw new TypeError('never') }",
    events: 'a',
    retry: { maxAttempts: 1 },
  },
  {
    name: 'slow',
    source: 'export default () => new Promise((done) => setTimeout(done, 3_000))',
    events: 'a',
  },
  { name: 'draws', source: 'export default () => crypto.randomUUID()', events: 'a' },
]

async function serveFunctions() {
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  let host: FunctionHost | undefined
  onTestFinished(async () => {
    await host?.close({ drainTimeoutMs: 0 })
    await runtime.shutdown({ drainTimeoutMs: 0 })
  })
  const forward =
    (key: 'invoke' | 'pause' | 'resume') =>
    (...args: [string]) =>
      host![key](...args)
  const calls = { invoke: forward('invoke'), pause: forward('pause'), resume: forward('resume') }
  // The server gets its host before there is a bus to bind it to.
  const served = await serve({ functions: { ...calls, names: [] } as unknown as FunctionHost })
  host = new FunctionHost({ bus: served.bus, runtime })
  await host.bind(functions)
  return served
}

it('answers what the function did with the body', async () => {
  const { send } = await serveFunctions()
  const answer = await send('/api/functions/echo/invoke', json({ n: [1, null] }))
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    function: 'echo',
    status: 'succeeded',
    value: { n: [1, null] },
    attempts: 1,
    event: { type: 'nexus.invoke.echo' },
  })
})

it('takes a request without a body as null', async () => {
  const { send } = await serveFunctions()
  const answer = await send('/api/functions/echo/invoke', { method: 'POST' })
  expect([answer.status, ((await answer.json()) as { value: unknown }).value]).toEqual([200, null])
})

it('answers 502 with the error where every attempt failed', async () => {
  const { send } = await serveFunctions()
  const answer = await send('/api/functions/broken/invoke', json(1))
  expect(answer.status).toBe(502)
  expect(await answer.json()).toMatchObject({
    status: 'dead-lettered',
    error: {
      code: 'FUNCTION_FAILED',
      cause: 'EXECUTION_ERROR',
      name: 'TypeError',
      message: 'never',
    },
  })
})

it('answers 504 when the function has not ended in time, and names the event', async () => {
  const { send } = await serveFunctions()
  const answer = await send('/api/functions/slow/invoke?timeoutMs=5', {
    ...json(1, { 'idempotency-key': 'key-1' }),
  })
  expect(answer.status).toBe(504)
  expect(await answer.json()).toMatchObject({
    error: { code: 'INVOKE_TIMEOUT', message: expect.stringContaining('key-1') },
  })
})

it('runs once for one idempotency key', async () => {
  const { send } = await serveFunctions()
  const draw = async () => {
    const answer = await send(
      '/api/functions/draws/invoke',
      json(null, { 'idempotency-key': 'key-1' }),
    )
    return ((await answer.json()) as { value: string }).value
  }
  const first = await draw()
  expect(first).toMatch(/^[0-9a-f-]{36}$/)
  expect(await draw()).toBe(first)
})

it.each([
  ['/api/functions/none/invoke', json(1), 404, 'FUNCTION_NOT_FOUND'],
  ['/api/functions/echo/invoke', json('{'), 400, 'INVALID_JSON'],
  ['/api/functions/echo/invoke?timeoutMs=0', json(1), 400, 'INVALID_QUERY'],
  ['/api/functions/echo/invoke?timeoutMs=x', json(1), 400, 'INVALID_QUERY'],
  ['/api/functions/echo/invoke?other=1', json(1), 400, 'INVALID_QUERY'],
  [
    '/api/functions/echo/invoke',
    json(1, { 'idempotency-key': 'x'.repeat(256) }),
    400,
    'INVALID_IDEMPOTENCY_KEY',
  ],
])('refuses %s', async (path, init, status, code) => {
  const { send } = await serveFunctions()
  const answer = await send(path, init)
  expect(answer.status).toBe(status)
  expect(await answer.json()).toMatchObject({ error: { code } })
})

it('pauses a function, refuses to invoke it meanwhile, and resumes it', async () => {
  const { send } = await serveFunctions()
  const paused = await send('/api/functions/echo/pause?reason=down', { method: 'POST' })
  const { at, ...pause } = ((await paused.json()) as { paused: { at: string } }).paused
  expect([paused.status, pause]).toEqual([200, { by: 'operator', reason: 'down' }])
  expect(Date.parse(at)).not.toBeNaN()
  const refused = await send('/api/functions/echo/invoke', json(1))
  expect([refused.status, await refused.json()]).toMatchObject([
    409,
    { error: { code: 'FUNCTION_PAUSED' } },
  ])
  const resumed = await send('/api/functions/echo/resume', { method: 'POST' })
  expect(await resumed.json()).toEqual({ function: 'echo', paused: null })
  expect((await send('/api/functions/echo/invoke', json(1))).status).toBe(200)
})

it.each([
  ['none/pause', 404, 'FUNCTION_NOT_FOUND'],
  ['none/resume', 404, 'FUNCTION_NOT_FOUND'],
  [`echo/pause?reason=${'x'.repeat(201)}`, 400, 'INVALID_QUERY'],
  ['echo/pause?why=x', 400, 'INVALID_QUERY'],
])('refuses %s with %d %s', async (path, status, code) => {
  const { send } = await serveFunctions()
  const answer = await send(`/api/functions/${path}`, { method: 'POST' })
  expect([answer.status, await answer.json()]).toMatchObject([status, { error: { code } }])
})
