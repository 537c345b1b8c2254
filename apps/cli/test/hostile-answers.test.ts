import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { nexus } from './nexus.js'

/** Sets the title, clears the screen, reorders text, and forges a line. */
const hostile = 'x\u001b]0;owned\u0007\u009b2J\u202e\u2066\u2028\u007f\t\r\nFORGED/../../../y'
const event = {
  specversion: '1.0',
  id: '',
  source: '',
  type: '',
  time: '',
  subject: '',
  data: [''],
}
const logs = [{ level: '', message: '', time: '', fields: { a: '' } }]
const error = { code: '', name: '', message: '', stack: '' }
const run = { function: '', status: '', attempts: 1, replays: 0, updatedAt: '', value: '' }
const code = { name: '', url: '', line: 1, selfMs: 1, share: 1 }
const optimization = {
  ...{ id: '', title: '', severity: '', advice: '', expectedEffect: '', state: '', failure: '' },
  evidence: [{ what: '', value: 1, unit: '', limit: 1 }],
  change: { knob: '', unit: '', from: 1, to: 2 },
  result: { appliedAt: '', before: 1, after: 2 },
}
const ux = {
  ...{ id: '', subject: '', severity: '', value: 1, unit: '' },
  ...{ limit: 1, samples: 1, suggestion: '' },
}
const figures = {
  executed: 1,
  succeeded: 1,
  failed: 0,
  successRatePercent: 1,
  averageDurationMs: 1,
}

/** Each command that asks a server, with an answer that has every field; each text in it is hostile. */
const commands: [args: string[], answer: object][] = [
  [['events'], { events: [event], total: 1 }],
  [['events', 'e'], { event, publishedAt: '', runs: [{ ...run, logs, error }] }],
  [['replay', 'e'], { id: '', deliveries: 1 }],
  [
    ['metrics'],
    {
      events: { published: 1, replayed: 1, failed: 1, successRatePercent: 1 },
      functions: figures,
      system: { uptimeSeconds: 1, version: '', bus: { backend: '', connected: true } },
    },
  ],
  [['optimizations'], { optimizations: [optimization], uxImprovements: [ux] }],
  [['optimizations', 'apply', 'o'], optimization],
  [
    ['profile', '--seconds', '1', '--out', 'a.cpuprofile'],
    {
      ...{ startedAt: '', durationMs: 1, host: [code] },
      process: {
        ...{ cpuPercent: 1, eventLoopBusyPercent: 1, eventLoopDelayP99Ms: 1 },
        ...{ gcMs: 1, residentBytes: 1, heapUsedBytes: 1 },
      },
      threads: [{ name: '', busyMs: 1, code: [code], cpuProfile: { nodes: [''] } }],
      functions: [
        {
          ...{ function: '', calls: 1, failed: 0, totalMs: 1, share: 1, averageMs: 1, p95Ms: 1 },
          ...{ maxMs: 1, averageQueueWaitMs: 1, memoryPeakBytes: 1, hostCalls: 1 },
        },
      ],
      sandbox: {
        ...{ cacheHits: 1, compiled: 1, evictions: 1, rewinds: 1 },
        ...{ discards: 1, threadKills: 1, instances: 1, memoryBytes: 1 },
      },
      suggestions: [{ title: '', severity: '', advice: '' }],
      cpuProfile: { samplingIntervalUs: 1, profile: { nodes: [''] } },
    },
  ],
]

/** Every text of the answer, made hostile. */
function poisoned(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, one) => (one === '' ? hostile : one))
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
    const cwd = await mkdtemp(join(tmpdir(), 'nexus-hostile-'))
    onTestFinished(() => rm(cwd, { recursive: true, force: true }))
    const url = await serverOf(200, poisoned(answer))
    for (const flags of [[], ['--json']]) {
      const outcome = await nexus([...args, ...flags, '--url', url], { cwd })
      expect({ args, code: outcome.code, stderr: outcome.stderr }).toMatchObject({ args, code: 0 })
      expect(outcome.stdout).not.toBe('')
      assertHarmless(outcome)
    }
    // A name that the server chose does not lead out of the directory.
    for (const file of await readdir(cwd)) expect(file).toMatch(/^a\.[\w.-]*cpuprofile$/)
    const refused = await serverOf(418, poisoned({ error: { code: '', message: '' } }))
    const failed = await nexus([...args, '--url', refused], { cwd })
    expect(failed.code).toBe(1)
    assertHarmless(failed)
    // An answer of another shape is said to be one, without a stack.
    const odd = await nexus([...args, '--url', await serverOf(200, {})], { cwd })
    expect(odd).toMatchObject({ code: 1, stdout: '' })
    expect(odd.stderr).not.toMatch(/\n {4}at |undefined/)
  },
  120_000,
)
