import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const files = {
  'nexus.yaml': 'functions:\n  - { name: work, source: ./work.js, events: [work] }\n',
  'work.js': 'export default ({ data }) => data.n * 2',
}

async function workServer() {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-profile-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text)
  const server = await nexusServer(['start'], { cwd })
  const client = new NexusClient({ url: server.url })
  let busy = true
  const load = (async () => {
    for (let n = 0; busy; n++) {
      await client.publish({ type: 'work', data: { n } }).catch(() => {})
      await new Promise((later) => setTimeout(later, 10))
    }
  })()
  onTestFinished(async () => {
    busy = false
    await load
  })
  return { cwd, env: { NEXUS_URL: server.url } }
}

it('nexus profile writes a flame graph and shows what took the time, within 80 columns', async () => {
  const { cwd, env } = await workServer()
  const { code, stdout, stderr } = await nexus(['profile', '--seconds', '1'], { cwd, env })
  expect(stderr).toBe(`Profiling ${env.NEXUS_URL} for 1 s …\n`)
  expect(code).toBe(0)
  const [, file] = /\nWrote (nexus-profile-\d{8}T\d{6}\.html)\n$/.exec(stdout) ?? []
  expect(await readFile(join(cwd, file!), 'utf8')).toMatch(/^<!doctype html>[\s\S]*"unit":"µs"/)
  expect(stdout).toMatch(/^Functions\n.* calls {2}failed .*\n {2}work +\d+ +0 +100\.0 % /)
  expect(stdout).toMatch(/\nHost code, by CPU time\n +[\d.]+ % +[\d.]+ ms {2}\S/)
  expect(stdout).toMatch(/\nSandbox threads, by CPU time\n {2}sandbox-1 +[\d.]+ ms/)
  expect(stdout).toMatch(/\nProcess\n {2}CPU [\d.]+ % of a core/)
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('--out chooses the format by the ending', async () => {
  const { cwd, env } = await workServer()
  const profile = (...args: string[]) => nexus(['profile', '--seconds', '1', ...args], { cwd, env })

  const { stdout } = await profile('--out', 'a.cpuprofile')
  expect(stdout).toContain('\nWrote a.cpuprofile, a.sandbox-1.cpuprofile')
  for (const file of ['a.cpuprofile', 'a.sandbox-1.cpuprofile']) {
    const raw = JSON.parse(await readFile(join(cwd, file), 'utf8'))
    expect(raw).toMatchObject({ nodes: expect.any(Array), timeDeltas: expect.any(Array) })
  }

  await profile('--out', 'a.pb.gz')
  const pprof = gunzipSync(await readFile(join(cwd, 'a.pb.gz'))).toString('latin1')
  for (const text of ['microseconds', 'main', 'sandbox-1']) expect(pprof).toContain(text)

  const json = await profile('--out', 'a.json', '--json', '--function', 'work')
  const report = JSON.parse(json.stdout)
  expect(report.functions).toMatchObject([{ function: 'work' }])
  expect(report.cpuProfile).toBeUndefined()
  const { cpuProfile, ...figures } = JSON.parse(await readFile(join(cwd, 'a.json'), 'utf8'))
  expect(figures).toMatchObject(report)
  expect(figures.threads[0].cpuProfile.nodes.length).toBeGreaterThan(0)
  expect(cpuProfile.profile.nodes.length).toBeGreaterThan(0)

  await profile('--json')
  expect((await readdir(cwd)).filter((name) => name.endsWith('.html'))).toEqual([])
})

it('what cannot work is refused before the time is spent', async () => {
  const { cwd, env } = await workServer()
  for (const [args, message] of [
    [['--out', 'a.svg'], '--out: expected a file ending in .html, .cpuprofile, .pb.gz or .json'],
    [['--seconds', '0'], '--seconds: expected a whole number from 1 to 240, got "0"'],
  ] as const) {
    const { code, stderr } = await nexus(['profile', ...args], { cwd, env })
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  }
  const nowhere = await nexus(['profile', '--out', 'none/a.html'], { cwd, env })
  expect(nowhere).toMatchObject({ code: 1, stdout: '' })
  expect(nowhere.stderr).toContain('Cannot write none/a.html: ENOENT')
  const unknown = await nexus(['profile', '--function', 'none'], { cwd, env })
  expect(unknown).toMatchObject({ code: 1, stdout: '' })
  expect(unknown.stderr).toContain('404 Not Found\nNo function is called "none".\n')
  expect((await readdir(cwd)).sort()).toEqual(['.nexus', '.nexus-cache', 'nexus.yaml', 'work.js'])
})
