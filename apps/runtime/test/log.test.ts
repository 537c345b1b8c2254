import { expect, it } from 'vitest'
import { json, serve, settled } from './workspace.js'

const token = 'a-token-of-some-length'
const files = {
  'nexus.yaml': [
    'bus: memory',
    'functions:',
    '  - { name: good, source: ./good.js, events: [a] }',
    '  - { name: bad, source: ./bad.js, events: [a], retry: { maxAttempts: 1 }, secrets: [KEY] }',
    '',
  ].join('\n'),
  'good.js': 'export default () => 1',
  'bad.js': "export default () => { throw new Error('broken') }",
}

interface Entry {
  level: string
  time: string
  msg: string
  [field: string]: unknown
}

async function logged(env: Record<string, string>, yaml = files['nexus.yaml']) {
  const lines: string[] = []
  const served = await serve(
    { ...files, 'nexus.yaml': yaml },
    {
      env: { NEXUS_TOKEN: token, KEY: 'hunter2-secret', ...env },
      onLog: (line) => lines.push(line),
    },
  )
  const { id } = await served.client.publish({ type: 'a', data: 1 })
  await settled(served.client, id)
  await served.runtime.close()
  await served.runtime.close()
  const entries = lines.map((line) => JSON.parse(line) as Entry)
  return { lines, entries, id, messages: entries.map(({ msg }) => msg) }
}

it('start and stop, compiles, runs, failures and dead letters are logged as lines of JSON', async () => {
  const { lines, entries, messages, id } = await logged({})
  for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1)
  for (const { level, time } of entries) {
    expect(['info', 'warn', 'error']).toContain(level)
    expect(Date.parse(time)).toBeGreaterThan(Date.now() - 600_000)
  }
  const entry = (msg: string) => entries.find((one) => one.msg === msg)
  // Functions are compiled side by side: which one is ready first is not promised.
  const compiled = entries.filter(({ msg }) => msg === 'compiled and cached')
  expect(compiled.map((one) => one.function).sort()).toEqual(['bad', 'good'])
  for (const one of compiled) {
    expect(one).toMatchObject({ bytes: expect.any(Number), ms: expect.any(Number) })
  }
  expect(entry('started')).toMatchObject({ bus: 'memory', functions: ['good', 'bad'] })
  expect(entry('function succeeded')).toMatchObject({ function: 'good', eventId: id, attempt: 1 })
  expect(entry('function failed')).toMatchObject({
    ...{ level: 'warn', function: 'bad', code: 'EXECUTION_ERROR' },
    reason: expect.stringContaining('broken'),
  })
  expect(entry('an event was given up: it is a dead letter')).toMatchObject({ level: 'error' })
  expect(messages.slice(-2)).toEqual(['stopping', 'stopped'])
  expect(messages.filter((message) => message === 'stopping')).toHaveLength(1)
})

it.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['silent', []],
])('NEXUS_LOG_LEVEL=%s logs %j', async (level, levels) => {
  const { entries } = await logged({ NEXUS_LOG_LEVEL: level })
  expect(new Set(entries.map((entry) => entry.level))).toEqual(new Set(levels))
})

it('log.level of nexus.yaml is the level where no variable says otherwise', async () => {
  const { entries } = await logged({}, `log: { level: error }\n${files['nexus.yaml']}`)
  expect(entries.map(({ level }) => level)).toEqual(['error'])
})

it('no secret of the configuration is in the log, wherever it stood', async () => {
  const lines: string[] = []
  const { send, client } = await serve(
    {
      ...files,
      'bad.js':
        "export default (event, ctx) => { throw new Error('key ' + ctx.secrets.KEY + event.data) }",
    },
    { env: { NEXUS_TOKEN: token, KEY: 'hunter2-secret' }, onLog: (line) => lines.push(line) },
  )
  const answer = await send(
    '/api/webhook',
    json({ type: 'a', data: token }, { authorization: `Bearer ${token}` }),
  )
  const { id } = (await answer.json()) as { id: string }
  await settled(client, id)
  await expect.poll(() => lines.some((line) => line.includes('function failed'))).toBe(true)
  const text = lines.join('')
  expect(text).not.toContain('hunter2-secret')
  expect(text).not.toContain(token)
  expect(text).toContain('[redacted]')
})
