import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serviceNamePattern } from '../../../service/service-name.js'
import { logFile, nativePaths } from '../../paths.js'
import { CommandServer, type Handlers } from './command-server.js'

const definition = { name: 'web', script: '/srv/web.mjs' }
/** A request of each method that every field of is right. */
const good: Record<keyof Handlers, object> = {
  start: { definition, timeoutMs: 1 },
  stop: { name: 'web' },
  restart: { name: 'web', timeoutMs: 1.5 },
  reload: { name: 'web', timeoutMs: 1 },
  scale: { name: 'web', instances: 2, timeoutMs: 1 },
  delete: { name: 'web' },
  list: {},
  health: { name: 'web', timeoutMs: 1 },
  save: {},
  resurrect: { timeoutMs: 1 },
  stats: {},
  shutdown: {},
}
const pieces = [
  '..',
  '/',
  '\\',
  '.',
  '\0',
  'a',
  'web',
  '-',
  '_',
  ' ',
  '\n',
  '\u001b',
  '\u202e',
  'é',
]
const special: unknown[] = [
  ...['', '.', '..', '../../../x', '/etc/passwd', '..\\x', 'a/../../b', 'a\0b', '.hidden', '-x'],
  ...['__proto__', 'a'.repeat(65), 'ａ', 'a\u0301', 'web\n', '\nweb', 'web.log/../../x', '\ud800'],
  ...[null, undefined, 1, true, [], ['web'], {}, { toString: 'web' }, { name: 'web' }],
]

/** Names that no service can have: the known tricks, and many put together from their pieces. */
function hostileNames(): unknown[] {
  let seed = 1
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const made = Array.from({ length: 300 }, () =>
    Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join(''),
  )
  return [...special, ...made.filter((name) => !serviceNamePattern.test(name))]
}

/** A server whose handlers only tell that they were called, and a client of it that writes what it likes. */
async function server() {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-socket-'))
  const called: string[] = []
  const handlers = Object.fromEntries(
    Object.keys(good).map((method) => [method, () => void called.push(method)]),
  ) as unknown as Handlers
  const address = join(directory, 's')
  const commands = new CommandServer(address, handlers, () => [])
  await commands.listen()
  onTestFinished(() => {
    commands.close()
    rmSync(directory, { recursive: true, force: true })
  })
  /** Every answer until `count` came, or the server hangs up. */
  const ask = async (lines: readonly string[]) => {
    const socket = connect(address)
    let text = ''
    const answers = () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .filter((reply) => 'error' in reply || 'result' in reply)
    await new Promise<void>((done) => {
      socket.on('error', () => {})
      socket.on('close', () => done())
      socket.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
        if (answers().length === lines.length) done()
      })
      socket.write(lines.map((line) => `${line}\n`).join(''))
    })
    socket.destroy()
    return answers() as { id: number; error?: { code: string }; result?: unknown }[]
  }
  return { ask, called }
}

describe('the daemon', () => {
  it('takes every request of its own clients', async () => {
    const { ask, called } = await server()
    const requests = Object.entries(good).map(([method, params], id) => ({ id, method, params }))
    const answers = await ask(requests.map((request) => JSON.stringify(request)))
    expect(answers.filter(({ error }) => error)).toEqual([])
    expect(called).toEqual(Object.keys(good))
  })

  it('refuses a hostile name in every request that takes one', async () => {
    const { ask, called } = await server()
    for (const method of ['stop', 'restart', 'delete', 'health', 'start'] as const) {
      const requests = hostileNames().map((name, id) => {
        const params =
          method === 'start'
            ? { ...good.start, definition: { ...definition, name } }
            : { ...good[method], name }
        return JSON.stringify({ id, method, params })
      })
      const answers = await ask(requests)
      expect(answers).toHaveLength(requests.length)
      for (const { error } of answers) expect(error?.code).toMatch(/^INVALID_/)
    }
    expect(called).toEqual([])
  })

  it.each([
    ['a relative script', { script: 'web.mjs' }],
    ['a script with a NUL', { script: '/a\0b' }],
    ['a relative directory', { cwd: '../x' }],
    ['a very long path', { script: `/${'x'.repeat(5000)}` }],
    ['a variable without a name', { env: { '': 'x' } }],
    ['a name with "="', { env: { 'A=B': 'x' } }],
    ['a value with a NUL', { env: { A: 'x\0' } }],
    ['a value that is no text', { env: { A: 1 } }],
    ['an argument that is no text', { args: [{}] }],
    ['a very long argument', { args: ['x'.repeat(200_000)] }],
    ['far too many arguments', { args: Array.from({ length: 10_001 }, () => 'x') }],
    ['too many instances', { instances: 257 }],
    ['a port out of range', { port: 65_536 }],
    ['a health check of another protocol', { health: { url: 'file:///etc/passwd' } }],
    ['a field that is not known', { uid: 0 }],
  ])('refuses %s', async (_what, wrong) => {
    const { ask, called } = await server()
    const params = { ...good.start, definition: { ...definition, ...wrong } }
    const [answer] = await ask([JSON.stringify({ id: 1, method: 'start', params })])
    expect(answer?.error?.code).toBe('INVALID_DEFINITION')
    expect(called).toEqual([])
  })

  it.each(Object.keys(good) as (keyof Handlers)[])(
    'refuses %s without its fields, with others, and with a time out of range',
    async (method) => {
      const { ask, called } = await server()
      const wrong: unknown[] = [{ ...good[method], more: 1 }, null, [], 'x']
      if (Object.keys(good[method]).length > 0) wrong.push({})
      if ('timeoutMs' in good[method]) {
        for (const timeoutMs of [-1, 2 ** 31, null, '1']) wrong.push({ ...good[method], timeoutMs })
      }
      const answers = await ask(wrong.map((params, id) => JSON.stringify({ id, method, params })))
      expect(answers.map(({ error }) => error?.code)).toEqual(
        wrong.map(() => expect.stringMatching(/^INVALID_(REQUEST|DEFINITION)$/)),
      )
      expect(called).toEqual([])
    },
  )

  it('refuses methods that it does not have, those of every object too', async () => {
    const { ask, called } = await server()
    const methods = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'START']
    const answers = await ask(
      methods.map((method, id) => `{"id":${id},"method":${JSON.stringify(method)},"params":{}}`),
    )
    expect(answers.map(({ error }) => error?.code)).toEqual(methods.map(() => 'INVALID_REQUEST'))
    expect(called).toEqual([])
  })

  it.each([
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"id":-1,"method":"list","params":{}}',
    '{"id":',
    '\0',
  ])('hangs up on %j, and goes on serving others', async (line) => {
    const { ask } = await server()
    expect(await ask([line])).toEqual([])
    expect(await ask([JSON.stringify({ id: 1, method: 'list', params: {} })])).toHaveLength(1)
  })

  it('refuses depth', async () => {
    const { ask } = await server()
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const answers = await ask([
      `{"id":1,"method":"stop","params":{"name":${deep}}}`,
      `{"id":2,"method":"stop","params":${deep}}`,
      `{"id":3,"method":"start","params":{"timeoutMs":1,"definition":{"args":${deep}}}}`,
    ])
    for (const { error } of answers) expect(error?.code).toMatch(/^INVALID_/)
    expect(answers).toHaveLength(3)
  })

  it('hangs up on a line that does not end', async () => {
    const { ask } = await server()
    expect(await ask([`"${'x'.repeat(9 * 2 ** 20)}"`])).toEqual([])
  })

  it('a key named __proto__ in a message changes no object', async () => {
    const { ask } = await server()
    const env = '{"__proto__":{"polluted":"yes"},"A":"1"}'
    await ask([
      `{"id":1,"method":"start","params":{"timeoutMs":1,"definition":{"name":"a","script":"/a","env":${env}}}}`,
      '{"id":2,"method":"stop","params":{"name":"a","__proto__":{"polluted":"yes"}}}',
    ])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

it('no name leads to a path outside the directory of logs', () => {
  const paths = nativePaths('/home/user')
  for (const name of hostileNames()) {
    expect(() => logFile(paths, name as string)).toThrow('is no name of a service')
  }
  for (const name of ['a', 'web.log', 'constructor', 'a..b', 'x'.repeat(64)]) {
    expect(relative(paths.logs, logFile(paths, name))).toBe(`${name}.log`)
  }
})
