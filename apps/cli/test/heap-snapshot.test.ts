import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const env = { NEXUS_TOKEN: 'a-token-of-an-operator' }

async function scratch(): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-heap-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  return cwd
}

it('nexus heap-snapshot writes a file that only its owner reads, and announces the pause', async () => {
  const cwd = await scratch()
  await writeFile(join(cwd, 'nexus.yaml'), 'functions: []\n')
  const { url } = await nexusServer(['start'], { cwd, env })
  const out = ['--out', 'a.heapsnapshot', '--url', url]
  const taken = await nexus(['heap-snapshot', ...out], { cwd, env })
  expect(taken).toMatchObject({ code: 0, stderr: expect.stringContaining('stops while it looks') })
  expect(taken.stdout).toMatch(
    /stopped for \d+ ms\. Wrote a\.heapsnapshot .*\nIt holds every secret/,
  )
  const file = join(cwd, 'a.heapsnapshot')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(file, 'utf8')).snapshot.node_count).toBeGreaterThan(10_000)
  const before = await stat(file)
  const again = await nexus(['heap-snapshot', ...out], { cwd, env })
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('EEXIST') })
  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs)
  const refused = await nexus(['heap-snapshot', '--out', 'b.heapsnapshot', '--url', url], { cwd })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('401') })
  expect((await readdir(cwd)).filter((name) => name.startsWith('b'))).toEqual([])
}, 240_000)

it('half a snapshot is not left behind', async () => {
  const cwd = await scratch()
  const server = createServer((_request, response) => {
    response.write('{"snapshot":', () => response.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cut = await nexus(['heap-snapshot', '--url', url], { cwd, env })
  expect(cut.code).toBe(1)
  expect(cut.stderr).not.toMatch(/\n {4}at /)
  expect(await readdir(cwd)).toEqual([])
}, 60_000)

it('a file of another kind is wrong usage', async () => {
  expect(await nexus(['heap-snapshot', '--out', 'a.json'])).toMatchObject({ code: 2 })
})
