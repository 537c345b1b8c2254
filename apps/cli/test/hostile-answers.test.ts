import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { answers } from '../../../packages/client/src/answers.js'
import type { Shape } from '../../../packages/client/src/shape.js'
import { nexus, nexusServer } from './nexus.js'
import { ServiceHome } from './service-home.js'

/** Sets the title, clears the screen, reorders text, and forges a line. */
const hostile = 'x\u001b]0;owned\u0007\u009b2J\u202e\u2066\u2028\u007f\t\r\nFORGED/../../../y'
/** An answer with every field that the client checks; each text in it is hostile. */
function sampleOf(shape: Shape): unknown {
  switch (shape.kind) {
    case 'string':
      return hostile
    case 'number':
      return 1
    case 'boolean':
      return true
    case 'array':
      return [sampleOf(shape.of)]
    case 'record':
      return { [hostile]: sampleOf(shape.of) }
    case 'object':
      return sampleOfObject(shape.fields)
    default:
      return sampleOf(shape.of)
  }
}

/** With what may be any JSON: what events carry, and what functions log and return. */
function sampleOfObject(fields: Readonly<Record<string, Shape>>): object {
  const known = Object.entries(fields).map(([name, shape]) => [name, sampleOf(shape)])
  const free = { data: [{ [hostile]: hostile }], value: hostile, fields: { [hostile]: hostile } }
  return { ...free, ...Object.fromEntries(known) }
}

/** Each command that asks a server, with what it is answered. */
const commands: [args: string[], answer: Shape][] = [
  [['events', '--limit', '1'], answers.eventPage],
  [['events', 'e'], answers.eventDetails],
  [['functions'], answers.functions],
  [['publish', 'a.b', '{}'], answers.receipt],
  [['invoke', 'f', '{}'], answers.invocation],
  [['invoke', 'f', '--json'], answers.invocation],
  [['replay', 'e'], answers.replay],
  [['erase', 'e', '--yes'], answers.erasure],
  [['dead-letters'], answers.deadLetterPage],
  [['dead-letters', 'redrive', '--all'], answers.redriven],
  [['dead-letters', 'purge', '--all', '--yes'], answers.purged],
  [['suspensions'], answers.suspensionPage],
  [['suspensions', 's'], answers.suspension],
  [['suspensions', 'cancel', 's'], answers.resumed],
  [['resume', 's', '--value', '1'], answers.resumed],
  [['metrics'], answers.metrics],
  [['cache'], answers.cache],
  [['cache', 'stats'], answers.cache],
  [['cache', 'clear'], answers.cleared],
  [['cache', 'prune'], answers.pruned],
  [['cache', 'warm'], answers.warmed],
  [['optimizations'], answers.optimizations],
  [['optimizations', 'apply', 'o'], answers.optimization],
  [['optimizations', 'undo', 'o'], answers.optimization],
  [['profile', '--seconds', '1', '--out', 'a.cpuprofile'], answers.profile],
  [['profile', '--heap', '--seconds', '1', '--out', 'a.heapprofile'], answers.profile],
]

async function scratch(): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-hostile-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  return cwd
}

async function serverOf(status: number, answer: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function assertHarmless({ stdout, stderr }: { stdout: string; stderr: string }): void {
  for (const text of [stdout, stderr]) {
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
    expect(text).not.toMatch(/^FORGED/m)
  }
}

it.each(commands)(
  '$0 shows no text of a server as it is',
  async (args, answer) => {
    const cwd = await scratch()
    const url = await serverOf(200, sampleOf(answer))
    for (const flags of [[], ['--json']]) {
      const outcome = await nexus([...args, ...flags, '--url', url], { cwd })
      expect({ args, code: outcome.code, stderr: outcome.stderr }).toMatchObject({ args, code: 0 })
      expect(outcome.stdout).not.toBe('')
      assertHarmless(outcome)
    }
    // A name that the server chose does not lead out of the directory.
    for (const file of await readdir(cwd)) expect(file).toMatch(/^a\.[\w.-]*(?:cpu|heap)profile$/)
    const refused = await serverOf(418, { error: { code: hostile, message: hostile } })
    const failed = await nexus([...args, '--url', refused], { cwd })
    expect(failed.code).toBe(1)
    assertHarmless(failed)
    // An answer of another shape is said to be one, without a stack.
    const odd = await nexus([...args, '--url', await serverOf(200, {})], { cwd })
    expect(odd).toMatchObject({ code: 1, stdout: '' })
    expect(odd.stderr).not.toMatch(/\n {4}at |undefined/)
  },
  240_000,
)

it.each(commands)(
  '$0 refuses a password or a query in the address and does not print it, and says that a full disk loses its output',
  async (args, answer) => {
    const cwd = await scratch()
    const addresses: [flags: string[], env: Record<string, string>][] = [
      [['--url', 'http://ada:hunter2@127.0.0.1:1'], {}],
      [[], { NEXUS_URL: 'http://127.0.0.1:1/?key=hunter2' }],
    ]
    for (const [flags, env] of addresses) {
      const refused = await nexus([...args, ...flags], { cwd, env })
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toMatch(/^nexus: (?:--url|NEXUS_URL): expected no /)
      expect(refused.stderr).not.toContain('hunter2')
    }
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const url = await serverOf(200, sampleOf(answer))
    const lost = await nexus([...args, '--url', url], { cwd, stdout: full })
    expect(lost.stderr).toMatch(/nexus: cannot write the output: ENOSPC/)
    expect(lost.code).toBe(1)
  },
  240_000,
)

/** Those that ask no server, and the one whose answer is no JSON. */
const others = ['dev', 'start', 'service', 'completion', 'heap-snapshot']

it('every command that asks a server is tried with such answers', async () => {
  const tried = new Set(commands.map(([[name]]) => name))
  const { nexus: all } = await import('../src/commands/commands.js')
  expect([...tried, ...others].sort()).toEqual(Object.keys(all.commands).sort())
})

it.each(['dev', 'start'])(
  'nexus %s shows no text of a sender or a function as it is',
  async (command) => {
    const cwd = await scratch()
    const text = JSON.stringify(hostile)
    await writeFile(
      join(cwd, 'fails.js'),
      `export default ({ data }, ctx) => {
        ctx.log.error(data + ${text}, { [${text}]: ${text} })
        throw Object.assign(new Error(${text}), { name: ${text} })
      }`,
    )
    await writeFile(
      join(cwd, 'nexus.yaml'),
      'functions:\n  - { name: fails, source: ./fails.js, events: [">"], retry: { maxAttempts: 1 } }\n',
    )
    const server = await nexusServer([command], { cwd })
    const client = new NexusClient({ url: server.url, timeoutMs: 60_000 })
    // As far as the server takes them.
    for (const field of [{}, { id: hostile }, { source: hostile }, { subject: hostile }]) {
      await client.publish({ type: 'a.b', data: hostile, ...field }).catch(() => {})
    }
    await expect.poll(() => server.output(), { timeout: 60_000 }).toMatch(/fails[\s\S]*FORGED/)
    await server.stop('SIGTERM')
    assertHarmless({ stdout: server.output(), stderr: '' })
  },
  240_000,
)

it('nexus service shows no text of a service as it is', async () => {
  const home = new ServiceHome()
  const script = join(home.path, 'hostile.mjs')
  await writeFile(script, `throw new Error(${JSON.stringify(hostile)})`)
  const started = await home.run('start', 'bad', '--script', script)
  expect(started.code).toBe(1)
  assertHarmless(started)
  for (const command of ['status', 'list', 'logs', 'health', 'metrics']) {
    for (const flags of [[], ['--json']]) assertHarmless(await home.run(command, ...flags))
  }
}, 240_000)

it.each([['a.html'], ['b.html', '--heap'], ['c.pb.gz'], ['d.pb.gz', '--heap']])(
  'a profile that is none is said to be so: %s %s',
  async (out, ...flags) => {
    const url = await serverOf(200, sampleOf(answers.profile))
    const args = ['profile', '--seconds', '1', '--out', out, ...flags, '--url', url]
    const failed = await nexus(args, { cwd: await scratch() })
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toContain('Cannot read the profile that the server sent')
    expect(failed.stderr).not.toMatch(/\n {4}at /)
  },
)
