import { expect, it } from 'vitest'
import { type Served, serve, settled } from './workspace.js'

const files = {
  'nexus.yaml': `functions:
  - { name: slow, source: ./slow.js, events: [a] }
  - { name: failing, source: ./failing.js, events: [b], retry: { maxAttempts: 1 } }
  - { name: unused, source: ./slow.js, events: [c] }
`,
  'slow.js': `export default (event, ctx) => {
    let sum = 0
    for (let i = 0; i < 200_000; i++) sum += i
    ctx.log.info('summed')
    return sum
  }`,
  'failing.js': "export default () => { throw new Error('no') }",
}

/** Waits until a profile is being taken: a second one is refused. */
async function underWay({ send }: Served): Promise<void> {
  const status = async () => (await send('/api/profile?seconds=1', { method: 'POST' })).status
  await expect.poll(status).toBe(409)
}

it('a profile has the code of the host, and what each function did meanwhile', async () => {
  const served = await serve(files)
  const { client } = served
  const before = await client.publish({ type: 'a' })
  await settled(client, before.id)

  const profiling = client.profile({ seconds: 5 })
  await underWay(served)
  const receipts = await client.publishBatch(['a', 'a', 'a', 'b'].map((type) => ({ type })))
  for (const { id } of receipts) await settled(client, id)
  const { functions, host, threads, process, sandbox, cpuProfile, durationMs } = await profiling

  expect(functions.map((entry) => entry.function)).toEqual(['slow', 'failing'])
  expect(functions[0]).toMatchObject({ calls: 3, failed: 0, hostCalls: 3 })
  expect(functions[1]).toMatchObject({ calls: 1, failed: 1, hostCalls: 0 })
  const [slow] = functions
  expect(slow!.totalMs).toBeCloseTo(slow!.averageMs * 3)
  expect(slow!.maxMs).toBeGreaterThanOrEqual(slow!.p95Ms)
  expect(slow!.memoryPeakBytes).toBeGreaterThan(10_000)
  expect(functions.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)

  expect(durationMs).toBeGreaterThanOrEqual(4_900)
  expect(host.length).toBeGreaterThan(0)
  expect(host[0]).toEqual({
    name: expect.any(String),
    url: expect.any(String),
    line: expect.any(Number),
    selfMs: expect.any(Number),
    share: expect.any(Number),
  })
  expect(threads.map(({ name }) => name)).toContain('sandbox-1')
  expect(threads.reduce((sum, { busyMs }) => sum + busyMs, 0)).toBeGreaterThan(0)
  for (const { code, cpuProfile } of threads) {
    expect(code.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1.001)
    expect(cpuProfile).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) })
  }
  expect(process.residentBytes).toBeGreaterThan(10_000_000)
  expect(sandbox.rewinds).toBeGreaterThanOrEqual(3)
  expect(sandbox.instances).toBeGreaterThan(0)
  expect(cpuProfile.profile).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) })
})

it('can be about one function, which has to exist', async () => {
  const served = await serve(files)
  const { client } = served
  const profiling = client.profile({ seconds: 5, function: 'failing' })
  await underWay(served)
  const receipts = await client.publishBatch([{ type: 'a' }, { type: 'b' }])
  for (const { id } of receipts) await settled(client, id)
  const { functions } = await profiling
  expect(functions.map((entry) => entry.function)).toEqual(['failing'])
  await expect(client.profile({ function: 'none' })).rejects.toMatchObject({
    status: 404,
    serverCode: 'FUNCTION_NOT_FOUND',
  })
})

it('one is taken at a time, and a client that goes away makes room for the next', async () => {
  const served = await serve(files)
  const { client, send } = served
  const gone = new AbortController()
  const abandoned = send('/api/profile?seconds=60', { method: 'POST', signal: gone.signal })
  const first = expect(abandoned).rejects.toThrow()
  await underWay(served)
  gone.abort()
  await first
  await expect
    .poll(async () => (await send('/api/profile?seconds=1', { method: 'POST' })).status, {
      timeout: 20_000,
    })
    .toBe(200)
  await expect(client.profile({ seconds: 1 })).resolves.toMatchObject({ functions: [] })
})

it('ends early, with what it has, when the server stops', async () => {
  const served = await serve(files)
  const { client, runtime } = served
  const profiling = client.profile({ seconds: 60 })
  await underWay(served)
  await runtime.close()
  expect((await profiling).durationMs).toBeLessThan(60_000)
})

it('is refused where it is turned off, without the token, and for a wrong time', async () => {
  const token = 'a-token-of-some-length'
  const env = { PERFORMANCE_ENABLED: 'false', NEXUS_TOKEN: token }
  const { client, send } = await serve(files, { env })
  await expect(client.profile()).rejects.toMatchObject({
    status: 403,
    serverCode: 'PROFILING_DISABLED',
  })
  expect((await send('/api/profile', { method: 'POST' })).status).toBe(401)
  for (const seconds of [0, 241, 1.5]) {
    await expect(client.profile({ seconds })).rejects.toMatchObject({ serverCode: 'INVALID_QUERY' })
  }
})
