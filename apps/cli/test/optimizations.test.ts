import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const names = ['a', 'b', 'c', 'd']
const files = {
  // As much as one function takes: a call of another loads its function again.
  'nexus.yaml': `bus: memory
threads: 1
maxHandlerBytes: 10000
performance: { profileIntervalMs: 0 }
functions:
${names.map((name) => `  - { name: ${name}, source: ./${name}.js, events: [${name}] }\n`).join('')}`,
  ...Object.fromEntries(
    names.map((name) => [`${name}.js`, `export default () => '${name}${'.'.repeat(2000)}'`]),
  ),
}

async function busyServer() {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-optimizations-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text)
  const server = await nexusServer(['start'], { cwd })
  const client = new NexusClient({ url: server.url })
  const work = async () => {
    const { functions: before } = await client.metrics()
    for (let round = 0; round < 30; round++) {
      await client.publishBatch(names.map((type) => ({ type })))
    }
    const executed = async () => (await client.metrics()).functions.executed - before.executed
    await expect.poll(executed, { timeout: 30_000 }).toBe(120)
  }
  return { url: server.url, work }
}

it('nexus optimizations lists what it found, applies it and takes it back', {
  timeout: 90_000,
}, async () => {
  const { url, work } = await busyServer()
  const run = (...args: string[]) => nexus(['--url', url, 'optimizations', ...args])
  expect(await run()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to imp/) })
  await work()
  const { code, stdout, stderr } = await run()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^handlers-too-small {2}(?:high|medium), suggested\n/)
  expect(stdout).toMatch(/\n {2}- cache hit rate: [\d.]+ ratio \(limit 0\.9\)\n/)
  expect(stdout).toContain('\n  handlers.maxBytes: 10000 to 20000 bytes on each thread\n')
  expect(stdout).toContain('\n  Apply it: nexus optimizations apply handlers-too-small\n')

  const applied = await run('apply', 'handlers-too-small')
  expect(applied.stdout).toMatch(
    /^handlers-too-small is applied: handlers\.maxBytes is 20000 bytes on each thread\n/,
  )
  const again = await run('apply', 'handlers-too-small')
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toContain('409 Conflict')
  const [listed] = JSON.parse((await run('--json')).stdout).optimizations.filter(
    ({ id }: { id: string }) => id === 'handlers-too-small',
  )
  expect(listed).toMatchObject({ state: 'applied', result: { before: expect.any(Number) } })
  const undone = JSON.parse((await run('undo', 'handlers-too-small', '--json')).stdout)
  expect(undone).toMatchObject({ state: 'undone', change: { from: 10000, to: 20000 } })
})

it('says what is wrong', async () => {
  const { url } = await busyServer()
  const run = (...args: string[]) => nexus(['optimizations', '--url', url, ...args])
  for (const args of [['apply'], ['turn', 'x']]) {
    const { code, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stderr).toContain('optimizations: expected nothing, apply <id> or undo <id>')
  }
  const { code, stderr } = await run('apply', 'none')
  expect(code).toBe(1)
  expect(stderr).toContain('No optimization has the id none; list them with: nexus optimizations')
})
