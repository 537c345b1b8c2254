import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { startRuntime } from '@nexus/runtime'
import { expect, it, onTestFinished } from 'vitest'
import { serve, settled } from './workspace.js'

const files = {
  'nexus.yaml': [
    'bus: memory',
    'threads: 1',
    'minInstances: 2',
    'maxModuleBytes: 1000000',
    'functions:',
    '  - { name: one, source: ./one.js, events: [a] }',
    '  - { name: two, source: ./two.ts, events: [a] }',
    '',
  ].join('\n'),
  'one.js': 'export default () => 1',
  'two.ts': 'export default (): number => 2',
}

it('the caches are shown, emptied, filled and pruned while the functions run on', async () => {
  const { client, directory } = await serve(files)
  const onDisk = async () =>
    (await readdir(join(directory, '.nexus-cache'))).filter((name) => name.endsWith('.qjsc')).length
  const report = await client.cache()
  expect(report.handlers).toMatchObject({
    tiers: [
      { tier: 'memory', entries: 2, evictions: 0 },
      { tier: 'disk', entries: 2 },
    ],
    ...{ compiled: 2, failed: 0 },
  })
  expect(report.modules).toMatchObject({ entries: 0, maxBytes: 1_000_000 })
  expect(report.entries.map(({ name }) => name).sort()).toEqual(['one.js', 'two.ts'])
  for (const { kind, bytes, accessCount, lastAccessedAt } of report.entries) {
    expect({ kind, accessCount }).toEqual({ kind: 'handler', accessCount: 1 })
    expect(bytes).toBeGreaterThan(0)
    expect(Date.parse(lastAccessedAt)).toBeGreaterThan(Date.now() - 60_000)
  }
  expect(JSON.stringify(report)).not.toContain(directory)
  const { cache } = await client.metrics()
  expect(cache?.handlers.tiers[0]).toMatchObject({ tier: 'memory', entries: 2 })

  expect(await client.clearCache()).toEqual({ removed: { memory: 2, disk: 2 } })
  expect(await onDisk()).toBe(0)
  const { id } = await client.publish({ type: 'a' })
  expect((await settled(client, id)).runs.map(({ status }) => status)).toEqual([
    ...['succeeded', 'succeeded'],
  ])

  expect(await client.warmCache()).toEqual({ functions: 2 })
  expect(await onDisk()).toBe(2)
  expect(await client.pruneCache({ unusedForSeconds: 3600 })).toEqual({
    removed: { entries: 0, bytes: 0 },
  })
  const { removed } = await client.pruneCache({ maxBytes: 0 })
  expect(removed.entries).toBeGreaterThanOrEqual(2)
  expect(await onDisk()).toBe(0)
})

it('warming fills a disk that was pruned, emptied, removed or damaged, so that the next start compiles nothing', async () => {
  const { client, directory } = await serve(files)
  const cacheDir = join(directory, '.nexus-cache')
  const cacheFiles = async () => (await readdir(cacheDir).catch(() => [])).sort()
  const before = await cacheFiles()
  expect(before.filter((name) => name.endsWith('.inputs'))).toHaveLength(2)
  const empty = async () => {
    for (const name of await cacheFiles()) await rm(join(cacheDir, name))
  }
  const damage = async () => {
    for (const name of await cacheFiles()) await writeFile(join(cacheDir, name), 'damaged')
  }
  for (const lose of [
    () => client.pruneCache({ maxBytes: 0 }),
    empty,
    () => rm(cacheDir, { recursive: true }),
    damage,
  ]) {
    await lose()
    expect(await client.warmCache()).toEqual({ functions: 2 })
    expect(await cacheFiles()).toEqual(before)
    const { handlers } = await client.cache()
    expect(handlers).toMatchObject({ tiers: [{ entries: 2 }, { entries: 2 }], compiled: 2 })
  }
  const config = join(directory, 'nexus.yaml')
  const next = await startRuntime({ config, port: 0, env: {} })
  onTestFinished(() => next.close())
  expect((await new NexusClient({ url: next.url }).cache()).handlers.compiled).toBe(0)
})

it('a function that does not compile is no fault of the server: the others go on, and the log says which', async () => {
  const lines: string[] = []
  const { client, directory } = await serve(files, { onLog: (line) => lines.push(line) })
  await writeFile(join(directory, 'one.js'), 'export default (')
  await expect(client.warmCache()).rejects.toMatchObject({
    status: 409,
    serverCode: 'FUNCTION_INVALID',
    message: expect.not.stringContaining(directory),
  })
  const told = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')
  expect(told).toMatchObject([
    { msg: expect.stringContaining('not warmed'), reason: expect.stringContaining('one.js:1') },
  ])
  const { id } = await client.publish({ type: 'a' })
  expect((await settled(client, id)).runs.map(({ status }) => status)).toEqual([
    ...['succeeded', 'succeeded'],
  ])
  await writeFile(join(directory, 'one.js'), files['one.js'])
  expect(await client.warmCache()).toEqual({ functions: 2 })
})

it('a wrong query is refused by name, and a token is wanted where there is one', async () => {
  const { send } = await serve(files, { env: { NEXUS_TOKEN: 'a-token-of-some-length' } })
  const authorization = { authorization: 'Bearer a-token-of-some-length' }
  const post = (path: string, headers = {}) => send(path, { method: 'POST', headers })
  for (const action of ['clear', 'prune', 'warm']) {
    expect((await post(`/api/cache/${action}`)).status).toBe(401)
  }
  expect((await send('/api/cache')).status).toBe(401)
  for (const [query, name] of [
    ['maxBytes=-1', 'maxBytes'],
    ['unusedForSeconds=soon', 'unusedForSeconds'],
    ['maxbytes=1', 'maxbytes'],
  ]) {
    const answer = await post(`/api/cache/prune?${query}`, authorization)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain(name)
  }
})

it('the options of the pool come from nexus.yaml', async () => {
  const { send } = await serve(files)
  const idle = async () =>
    /nexus_pool_instances\{state="available"\} (\d+)/.exec(
      await (await send('/metrics')).text(),
    )?.[1]
  await expect.poll(idle).toBe('2')
})
