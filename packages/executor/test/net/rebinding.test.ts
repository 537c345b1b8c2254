import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

/** Stands for an address of the public internet, which no test talks to. */
const PUBLIC = '127.0.0.2'
const PRIVATE = '127.0.0.1'

vi.mock('../../src/net/address-policy.js', async (load) => {
  const policy = await load<typeof import('../../src/net/address-policy.js')>()
  return { ...policy, isPublicAddress: (address: string) => address === '127.0.0.2' }
})

/** A server of one address, on the port of another when that is given, that counts who connects. */
async function open(host: string, port: number) {
  const server = createServer((_request, response) => {
    response.setHeader('connection', 'close')
    response.end(host)
  })
  const seen = { connections: 0 }
  server.on('connection', () => seen.connections++)
  await once(server.listen(port, host), 'listening')
  afterAll(() => new Promise((closed) => server.close(closed)))
  return { server, seen }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port
const inside = await open(PRIVATE, 0)
const port = portOf(inside.server)
const outside = await open(PUBLIC, port)
/** An address where no server listens outside, but one does inside. */
const onlyInside = await open(PRIVATE, 0)

/** What the attacker's DNS server says, look-up after look-up; the last answer stays. */
let answers: string[][] = []
let lookUps = 0
const runtime = openRuntime({
  threads: 0,
  resolveHost: async () => {
    const addresses = answers[Math.min(lookUps++, answers.length - 1)]!
    return addresses.map((address) => ({ address, family: 4 as const }))
  },
})
const fetchText = (path: string) =>
  runtime.executeHandler(handler('return (await fetch(event)).text()'), {
    event: `http://rebind.test:${path}`,
    capabilities: ['net:*:*'],
  })

beforeEach(() => {
  lookUps = 0
  for (const { seen } of [inside, outside, onlyInside]) seen.connections = 0
})

it('a name that turns private after it was looked at is connected to where it was', async () => {
  answers = [[PUBLIC], [PRIVATE]]
  expect((await fetchText(`${port}/`)).value).toBe(PUBLIC)
  expect(lookUps).toBe(1)
  expect(outside.seen.connections).toBe(1)
  expect(inside.seen.connections).toBe(0)

  // The next connection is a look-up of its own, and its answer is looked at too.
  const second = await fetchText(`${port}/`)
  expect(second.error).toMatchObject({ code: 'PERMISSION_DENIED' })
  expect(second.error?.message).not.toContain(PRIVATE)
  expect(lookUps).toBe(2)
  expect(inside.seen.connections).toBe(0)
})

it('a connection that fails is not tried again at what the name says by then', async () => {
  answers = [[PUBLIC], [PRIVATE]]
  const { error } = await fetchText(`${portOf(onlyInside.server)}/`)
  expect(error?.message).toContain('ECONNREFUSED')
  expect(lookUps).toBe(1)
  expect(onlyInside.seen.connections).toBe(0)
})

it('of several addresses, none is connected to when one of them is private', async () => {
  answers = [[PUBLIC, PRIVATE], [PUBLIC]]
  expect((await fetchText(`${port}/`)).error).toMatchObject({ code: 'PERMISSION_DENIED' })
  expect([inside, outside].map(({ seen }) => seen.connections)).toEqual([0, 0])
})

it('many fetches at once while the name turns back and forth never reach inside', async () => {
  answers = Array.from({ length: 40 }, (_, i) => [i % 2 === 0 ? PUBLIC : PRIVATE])
  const results = await Promise.all(Array.from({ length: 40 }, () => fetchText(`${port}/`)))
  const values = results.map(({ value, error }) => value ?? error?.code)
  expect(new Set(values)).toEqual(new Set([PUBLIC, 'PERMISSION_DENIED']))
  expect(outside.seen.connections).toBeGreaterThan(0)
  expect(inside.seen.connections).toBe(0)
})
