import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

async function project(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-serve-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}

const slow = {
  'nexus.yaml': 'functions:\n  - { name: fn, source: ./fn.js, events: [a], sample: { n: 1 } }\n',
  'fn.js':
    'export default () => { const end = Date.now() + 1500; while (Date.now() < end); return 1 }',
}

describe('nexus start', () => {
  it('says where it listens, where its data lies, and a line to try', async () => {
    const cwd = await project(slow)
    const server = await nexusServer(['start'], { cwd })
    await expect.poll(() => server.output()).toContain('Try it:')
    expect(server.output()).toContain(`Nexus is running on ${server.url}\n`)
    expect(server.output()).toMatch(/\n {2}Data {7}\.nexus\n/)
    expect(server.output()).toContain(`curl ${server.url}/api/webhook`)
    expect(server.output()).toContain(`-d '{"type":"a","data":{"n":1}}'`)
    expect(await server.stop('SIGTERM')).toBe(0)
  })

  it.each([
    [
      'events: [com.shop.*.made, com.shop.paid]',
      `'{"type":"com.shop.paid","data":{"name":"world"}}'`,
    ],
    ['events: ["com.shop.*.>"]', `'{"type":"com.shop.example.example","data":{"name":"world"}}'`],
    ["events: [a], sample: { who: it's }", `'{"type":"a","data":{"who":"it'\\''s"}}'`],
    ['schedule: "0 9 * * *"', `nexus invoke fn '{"name":"world"}' --url http`],
    ['http: { path: /orders/:id }', '/orders/example'],
  ])('the line to try starts a function with %s', async (starts, line) => {
    const cwd = await project({
      'nexus.yaml': `functions:\n  - { name: fn, source: ./fn.js, ${starts} }\n`,
      'fn.js': 'export default () => 1',
    })
    const server = await nexusServer(['start'], { cwd })
    await expect.poll(() => server.output()).toContain('Try it:')
    expect(server.output()).toContain(line)
    expect(await server.stop('SIGTERM')).toBe(0)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: calls under way end first, then 0',
    async (signal) => {
      const cwd = await project(slow)
      const server = await nexusServer(['start'], { cwd })
      const client = new NexusClient({ url: server.url })
      const { id } = await client.publish({ type: 'a' })
      await expect.poll(async () => (await client.getEvent(id)).runs[0]?.status).toBe('running')
      expect(await server.stop(signal)).toBe(0)

      const again = await nexusServer(['start'], { cwd })
      const { runs } = await new NexusClient({ url: again.url }).getEvent(id)
      expect(runs).toMatchObject([{ status: 'succeeded', attempts: 1, value: 1 }])
      expect(await again.stop(signal)).toBe(0)
    },
  )

  it('ends in time though a call outlasts the drain, and runs it again at the next start', async () => {
    const cwd = await project({
      ...slow,
      'nexus.yaml':
        'drainTimeoutMs: 50\nfunctions:\n  - { name: fn, source: ./fn.js, events: [a], timeoutMs: 60000, env: [LIFE] }\n',
      'fn.js':
        "export default (event, ctx) => { while (ctx.env.LIFE === 'first'); return ctx.env.LIFE }",
    })
    const first = await nexusServer(['start'], { cwd, env: { LIFE: 'first' } })
    const client = new NexusClient({ url: first.url })
    const { id } = await client.publish({ type: 'a' })
    await expect.poll(async () => (await client.getEvent(id)).runs[0]?.status).toBe('running')
    expect(await first.stop('SIGTERM')).toBe(0)

    const second = await nexusServer(['start'], { cwd, env: { LIFE: 'second' } })
    const again = new NexusClient({ url: second.url })
    await expect
      .poll(async () => (await again.getEvent(id)).runs[0])
      .toMatchObject({
        status: 'succeeded',
        value: 'second',
      })
  })

  it('with a broken configuration shows the place on stderr: exit code 1', async () => {
    const cwd = await project({ 'nexus.yaml': 'function: []\n' })
    expect(await nexus(['start'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'nexus.yaml:1:1: unknown key "function"; did you mean "functions"?\n\n  1 | function: []\n    | ^\n',
    })
  })

  it('--json writes one JSON object per line', async () => {
    const cwd = await project(slow)
    const server = await nexusServer(['dev', '--json'], { cwd })
    await new NexusClient({ url: server.url }).publish({ type: 'a', id: 'e-1' })
    await expect.poll(() => server.output()).toContain('"kind":"run"')
    await server.stop('SIGTERM')
    const lines = server.output().trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual([
      'listening',
      'run',
    ])
  })
})

describe('nexus dev', () => {
  it('shows every run with what it logged, and reloads', async () => {
    const cwd = await project({
      ...slow,
      'fn.js': "export default (event, ctx) => { ctx.log.info('hello', { from: 'one' }) }",
    })
    const server = await nexusServer(['dev'], { cwd })
    const client = new NexusClient({ url: server.url })
    await client.publish({ type: 'a', id: 'e-1' })
    await expect
      .poll(() => server.output())
      .toMatch(/success fn [\d.]+ ms\n +a e-1\n +info hello \{"from":"one"\}\n/)
    await writeFile(join(cwd, 'fn.js'), "export default () => { throw new Error('two') }")
    await expect.poll(() => server.output()).toMatch(/reloaded fn\n/)
    await client.publish({ type: 'a', id: 'e-2' })
    await expect
      .poll(() => server.output())
      .toMatch(/error fn [\d.]+ ms\n +a e-2\n +EXECUTION_ERROR .*two/)
    expect(await server.stop('SIGINT')).toBe(0)
  })
})
