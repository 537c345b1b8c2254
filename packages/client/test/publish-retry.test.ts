import { NexusClient } from '@nexus/client'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'

/** A client whose server fails in turn, then answers; with the bodies that were sent. */
function failing(failures: readonly (number | Error)[], options: object = {}) {
  const sent: string[] = []
  const fetch = async (_url: unknown, { body }: { body?: string } = {}) => {
    const failure = failures[sent.length]
    sent.push(body ?? '')
    if (failure instanceof Error) throw failure
    if (failure !== undefined) return new Response('{}', { status: failure })
    return new Response('{"id":"e","duplicate":false}')
  }
  const client = new NexusClient({
    fetch: fetch as typeof globalThis.fetch,
    publishRetryDelayMs: 0,
    ...options,
  })
  return { client, sent }
}

const passing = [
  ...[408, 429, 502, 503, 504],
  ...[new TypeError('fetch failed'), new DOMException('late', 'TimeoutError')],
]

it.each(passing)('publish sends the same event again after %s', async (failure) => {
  const { client, sent } = failing([failure, failure])
  expect(await client.publish({ type: 't' })).toEqual({ id: 'e', duplicate: false })
  expect(sent).toHaveLength(3)
  expect(new Set(sent).size).toBe(1)
  expect(JSON.parse(sent[0]!).id).toBeTypeOf('string')
})

it.each([400, 401, 403, 404, 409, 413, 500])(
  'publish is refused at once with %i',
  async (status) => {
    const { client, sent } = failing([status])
    await expect(client.publish({ type: 't' })).rejects.toMatchObject({ status })
    expect(sent).toHaveLength(1)
  },
)

it('gives up after the attempts it was given, with the last failure', async () => {
  const three = failing([503, 503, 503])
  await expect(three.client.publish({ type: 't' })).rejects.toMatchObject({ status: 503 })
  expect(three.sent).toHaveLength(3)
  const one = failing([503], { publishAttempts: 1 })
  await expect(one.client.publish({ type: 't' })).rejects.toMatchObject({ status: 503 })
  expect(one.sent).toHaveLength(1)
})

it('each publish that is sent again is logged', async () => {
  const logger = new RecordingLogger()
  const { client } = failing([503, 503], { logger })
  await client.publish({ type: 't' })
  expect(logger.entries).toMatchObject([
    { level: 'warn', fields: { attempt: 1 }, message: 'a publish failed and is sent again' },
    { level: 'warn', fields: { attempt: 2 }, message: 'a publish failed and is sent again' },
  ])
})

it('nothing else is sent again', async () => {
  const { client, sent } = failing([503])
  await expect(client.replay('e')).rejects.toMatchObject({ status: 503 })
  expect(sent).toHaveLength(1)
})

it.each([
  { publishAttempts: 0 },
  { publishAttempts: 1.5 },
  { publishRetryDelayMs: -1 },
  { logger: {} as never },
])('refuses the options %j', (options) => {
  expect(() => new NexusClient(options)).toThrow(Object.keys(options)[0]!)
})

it('waits for what functions do, and sends the same event again', async () => {
  const asked: string[] = []
  const answers = [
    () => new Response('{}', { status: 503 }),
    () => Response.json({ id: 'e', duplicate: true, settled: true, runs: [] }),
  ]
  const client = new NexusClient({
    publishRetryDelayMs: 0,
    fetch: (async (url: URL) => {
      asked.push(String(url).replace(/^.*\?/, ''))
      return answers[asked.length - 1]!()
    }) as typeof globalThis.fetch,
  })
  const outcome = await client.publish({ type: 't' }, { wait: true, timeoutMs: 5 })
  expect(outcome).toEqual({ id: 'e', duplicate: true, settled: true, runs: [] })
  expect(asked).toEqual(['wait=true&timeoutMs=5', 'wait=true&timeoutMs=5'])
})
