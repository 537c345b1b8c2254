import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer, nexusUntilStopped } from './nexus.js'

async function emptyWorkspace(): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-watch-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await writeFile(join(cwd, 'nexus.yaml'), 'functions: []\n')
  return cwd
}

it('nexus metrics --watch prints a line per reading in a pipe, and ends well on Ctrl-C', async () => {
  const cwd = await emptyWorkspace()
  const { url } = await nexusServer(['start'], { cwd })
  const watch = nexusUntilStopped(['metrics', '--watch', '--interval', '1', '--url', url])
  await expect
    .poll(() => watch.stdout())
    .toMatch(/^\d\d:\d\d:\d\d published 0 .*, bus \S+ connected\n/)
  await new NexusClient({ url }).publish({ type: 'a' })
  await expect.poll(() => watch.stdout()).toMatch(/\n\d\d:\d\d:\d\d published 1 .*\n$/)
  expect(watch.stdout()).not.toContain('\u001b')
  expect(await watch.stop('SIGINT')).toBe(0)
  expect(watch.stderr()).toBe('')
})

it('it goes on across a restart of the server, which it tells once', async () => {
  const cwd = await emptyWorkspace()
  const first = await nexusServer(['start'], { cwd })
  const { port } = new URL(first.url)
  const args = ['metrics', '--watch', '--interval', '1', '--json', '--url', first.url]
  const watch = nexusUntilStopped(args)
  const lines = () => watch.stdout().trim().split('\n')
  await expect.poll(() => watch.stdout()).not.toBe('')
  await first.stop('SIGTERM')
  await expect.poll(() => watch.stderr()).toMatch(/: Connection refused; trying again\n$/)
  const before = lines().length
  await nexusServer(['start'], { cwd }, port)
  await expect.poll(() => lines().length).toBeGreaterThan(before)
  for (const line of lines()) {
    expect(JSON.parse(line)).toMatchObject({ time: expect.any(String), events: { published: 0 } })
  }
  expect(watch.stderr().match(/\n/g)).toHaveLength(1)
  expect(await watch.stop('SIGINT')).toBe(0)
}, 60_000)

it('it does not wait for a server that was never there', async () => {
  const { code, stderr } = await nexus(['metrics', '--watch', '--url', 'http://127.0.0.1:1'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^Failed to fetch metrics: /),
  })
})
