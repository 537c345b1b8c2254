import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CloudEvent, type EventWithRuns, NexusClient } from '@nexus/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nexus, nexusIntoHead, nexusOnTerminal, nexusServer } from './nexus.js'

const orders = join(import.meta.dirname, '../../../examples/orders/nexus.yaml')

/** The example, on a data directory of its own. */
async function ordersServer() {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-cli-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const env = { NEXUS_DATA_DIR: join(directory, 'data'), CACHE_DIR: join(directory, 'cache') }
  const server = await nexusServer(['start', '--config', orders], { env })
  return { server, client: new NexusClient({ url: server.url }), directory }
}

async function settled(client: NexusClient, id: string): Promise<EventWithRuns> {
  for (;;) {
    const details = await client.getEvent(id)
    if (details.runs.length > 0 && details.runs.every((run) => run.status === 'succeeded')) {
      return details
    }
    await new Promise((later) => setTimeout(later, 10))
  }
}

const order = {
  type: 'com.nexus.order.created',
  data: { id: 'A-1', customer: 'Ada', items: [{ sku: 'mug', quantity: 2, price: 12.5 }] },
}

/** A server that answers everything with the same JSON. */
async function fakeServer(status: number, body: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An address where a server was, and is no more. */
async function deserted(): Promise<string> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return `http://localhost:${port}`
}

describe('nexus', () => {
  it('--help and --version answer on stdout', async () => {
    for (const args of [['--help'], ['-h'], ['help'], [], ['events', '--help']]) {
      const { code, stdout, stderr } = await nexus(args)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('Usage: nexus <command> [options]')
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
    const manifest = await readFile(join(import.meta.dirname, '../package.json'), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    expect(await nexus(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.each([
    [['evnts'], 'unknown command "evnts"'],
    [['--port'], 'unknown option "--port"'],
    [['events', '--limt', '3'], "Unknown option '--limt'"],
    [['events', '--limit', '0'], '--limit: expected a whole number from 1 to 1000, got "0"'],
    [['events', '--limit', 'ten'], '--limit: expected a whole number from 1 to 1000, got "ten"'],
    [['events', 'a', 'b'], 'unexpected argument "b"'],
    [['events', 'a', '--limit', '1'], '--limit and --type are for lists'],
    [['invoke'], 'invoke: expected the name of a function'],
    [['invoke', 'f', '{'], 'invoke: expected the data as JSON'],
    [['invoke', 'f', '--timeout-ms', '0'], '--timeout-ms: expected a whole number from 1'],
    [['publish'], 'publish: expected the type of the event'],
    [['publish', 't', '{'], 'publish: expected the data as JSON'],
    [['publish', 't', '@/none'], 'publish: data @/none: there is no such file'],
    [['publish', 't', '--timeout-ms', '5'], '--timeout-ms is for --wait'],
    [['dead-letters', 'drop'], 'dead-letters: expected list, redrive or purge'],
    [['dead-letters', 'redrive'], 'dead-letters redrive: expected --function or --id, or --all'],
    [['dead-letters', 'purge', '--all'], 'there is no terminal to ask on; add --yes'],
    [['replay'], 'replay: expected the id of an event'],
    [['erase', '--yes'], 'erase: expected the id of an event'],
    [['erase', 'x'], 'there is no terminal to ask on; add --yes'],
    [['metrics', 'x'], 'unexpected argument "x"'],
    [['metrics', '--url', 'localhost'], '--url: expected an http or https URL, got "localhost"'],
    [['metrics', '--url', 'http://u:pw@localhost'], '--url: expected no user name or password'],
    [['metrics', '--url', 'http://localhost?x'], '--url: expected no query and no fragment'],
    [['events', '--source', '/x'], '--source is for one event'],
    [['dev', '--port', '70000'], '--port: expected a whole number from 0 to 65535'],
    [['constructor'], 'unknown command "constructor"'],
  ])('%j is wrong usage: exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await nexus(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^nexus: /)
    expect(stderr).toContain(message)
    expect(stderr).toContain('See: nexus --help')
  })
})

describe('without a server', () => {
  it.each([
    [['events'], 'fetch events'],
    [['events', 'x'], 'fetch event'],
    [['functions'], 'fetch functions'],
    [['publish', 't'], 'publish event'],
    [['invoke', 'f'], 'invoke function'],
    [['replay', 'x'], 'replay event'],
    [['erase', 'x', '--yes'], 'erase event'],
    [['metrics'], 'fetch metrics'],
  ])('%j says so on stderr: exit code 1', async (args, action) => {
    const url = await deserted()
    const expected = {
      code: 1,
      stdout: '',
      stderr: `Failed to ${action}: Connection refused\nMake sure the server is running on ${url}\n`,
    }
    expect(await nexus([...args, '--url', url])).toEqual(expected)
    expect(await nexus(args, { env: { NEXUS_URL: url } })).toEqual(expected)
  })
})

describe('with the orders example running', () => {
  it('the log is empty, then it holds an order and its total', async () => {
    const { server, client } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    const empty = await nexus(['events'], { env })
    expect(empty).toMatchObject({ code: 0, stderr: '' })
    expect(empty.stdout).toContain('No events yet. Publish one with:\n  curl -X POST http')

    const { id } = await client.publish({ ...order, id: 'order-1' })
    await settled(client, id)
    const list = await nexus(['events'], { env })
    expect(list).toMatchObject({ code: 0, stderr: '' })
    expect(list.stdout).toMatch(/^2 total events, showing 2\n/)
    expect(list.stdout).toMatch(
      /\norder-1\n {2}Type {6}com\.nexus\.order\.created\n {2}Time {6}\d{4}-\d\d-\d\dT[\d:.]+Z\n {2}Data {6}\{\n {14}"id": "A-1",/,
    )
    expect(list.stdout).not.toContain('\u001b')

    const limited = await nexus(['events', '--limit', '1', '--json'], { env })
    expect(JSON.parse(limited.stdout)).toMatchObject({
      total: 2,
      events: [{ type: 'com.nexus.order.totalled', data: { total: 25 } }],
    })
    const typed = await nexus(['events', '--type', 'com.nexus.order.created'], { env })
    expect(typed.stdout).toMatch(/^1 total events, showing 1\n/)
  })

  it('shows one event with what each function did', async () => {
    const { server, client } = await ordersServer()
    await client.publish({ ...order, id: 'order-1' })
    await settled(client, 'order-1')
    const { code, stdout } = await nexus(['events', 'order-1', '--url', server.url])
    expect(code).toBe(0)
    expect(stdout).toContain('  Source    /nexus/client\n')
    expect(stdout).toMatch(/\norder-total {2}succeeded in [\d.]+ ms, 1 attempt\n/)
    expect(stdout).toContain('  Log       info totalled {"id":"A-1","total":25}\n')
    const json = await nexus(['events', 'order-1', '--url', server.url, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      event: { id: 'order-1' },
      runs: [{ function: 'order-total', status: 'succeeded', value: { total: 25 } }],
    })
  })

  it('invokes a function, and prints what it returns', async () => {
    const { server } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    const data = JSON.stringify(order.data)
    expect(await nexus(['invoke', 'order-total', data], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"total": 25'),
      stderr: '',
    })
    const json = await nexus(['invoke', 'order-total', data, '--json', '--key', 'k-1'], { env })
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'succeeded',
      value: { total: 25 },
      event: { id: 'k-1', type: 'nexus.invoke.order-total' },
    })
    expect(await nexus(['invoke', 'none'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No function has the name none'),
    })
    const failed = await nexus(['invoke', 'order-total', '7', '--timeout-ms', '20000'], { env })
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toMatch(/^order-total failed: .+\nSee every attempt with: nexus events/)
  })

  it('lists the functions', async () => {
    const { server } = await ordersServer()
    const { code, stdout } = await nexus(['functions', '--url', server.url])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^order-total\n {2}Events {4}com\.nexus\.order\.created\n {2}Calls {5}0 running, 0 succeeded/,
    )
  })

  it('pauses and resumes a function', async () => {
    const { server, client } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    const pause = ['functions', 'pause', 'order-total', '--reason', 'the shop is closed']
    expect(await nexus(pause, { env })).toMatchObject({
      code: 0,
      stdout: 'Paused; its events wait: order-total\n',
    })
    expect((await nexus(['functions'], { env })).stdout).toMatch(
      /^order-total\n {2}Events .+\n {2}Paused {4}since \S+Z: the shop is closed\n/,
    )
    const outcome = await client.publish(order, { wait: true, timeoutMs: 100 })
    expect(outcome.settled).toBe(false)
    const resume = ['functions', 'resume', 'order-total', '--json']
    expect(JSON.parse((await nexus(resume, { env })).stdout)).toEqual({
      function: 'order-total',
      paused: null,
    })
    await expect
      .poll(async () => (await client.getEvent(outcome.id)).runs[0]?.status)
      .toBe('succeeded')
    expect((await nexus(['functions', 'pause'], { env })).code).toBe(2)
    expect((await nexus(['functions', 'stop', 'order-total'], { env })).code).toBe(2)
  })

  it('publishes an event, and shows what each function did with it', async () => {
    const { server, client } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    const data = JSON.stringify(order.data)
    const { code, stdout, stderr } = await nexus(['publish', order.type, data, '--wait'], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/\norder-total {2}succeeded in .+, 1 attempt\n {2}Returned {2}{\n/)

    const directory = await mkdtemp(join(tmpdir(), 'nexus-publish-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'order.json')
    await writeFile(file, data)
    const args = ['publish', order.type, `@${file}`, '--id', 'o-1', '--source', '/s']
    const published = await nexus(args, { env })
    expect(published).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Published: o-1; /) })
    expect((await client.getEvent('o-1')).event).toMatchObject({ source: '/s', data: order.data })
    const again = await nexus([...args, '--wait', '--json'], { env })
    expect(JSON.parse(again.stdout)).toMatchObject({ duplicate: true, settled: true })

    const failed = await nexus(['publish', order.type, '7', '--id', 'o-2', '--wait'], { env })
    expect(failed).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('order-total  dead-lettered'),
      stderr: expect.stringMatching(/^Failed: order-total\nRun it again with: nexus replay /),
    })
    const letters = ['dead-letters', '--function', 'order-total']
    expect((await nexus(letters, { env })).stdout).toMatch(
      /^1 dead letter, showing 1\n\no-2\n {2}Function {2}order-total, 3 attempts\n/,
    )
    expect(await nexus(['dead-letters', 'redrive', '--id', 'o-2'], { env })).toMatchObject({
      stdout: 'Delivered again: 1\n',
    })
    await expect.poll(async () => (await client.deadLetters()).total).toBe(1)
    expect(await nexus(['dead-letters', 'purge', '--all', '--yes'], { env })).toMatchObject({
      stdout: 'Purged: 1\n',
    })
  })

  it('replays, and counts', async () => {
    const { server, client } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    await client.publish({ ...order, id: 'order-1' })
    await settled(client, 'order-1')
    expect(await nexus(['replay', 'order-1'], { env })).toEqual({
      code: 0,
      stdout: 'Replayed order-1 to 1 function; see what it did with: nexus events order-1\n',
      stderr: '',
    })
    // The total and its receipt, twice: a replay has its effects again.
    await expect.poll(async () => (await client.metrics()).functions.succeeded).toBe(4)
    const { code, stdout } = await nexus(['metrics'], { env })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Events\n {2}Published {5}3\n {2}Replayed {6}1\n {2}Failed {8}0\n/)
    expect(stdout).toMatch(/\nFunctions\n {2}Executed {6}4\n {2}Succeeded {5}4\n/)
    expect(stdout).toMatch(
      /\nSystem\n {2}Uptime {8}\d+s\n {2}Bus {11}\S+, connected\n\n(?:Machine|Container)\n/,
    )
    const json = await nexus(['metrics', '--json'], { env })
    expect(JSON.parse(json.stdout)).toMatchObject({ events: { published: 3, replayed: 1 } })
  })

  it('erases the data of an event, and shows when and why', async () => {
    const { server, client } = await ordersServer()
    const env = { NEXUS_URL: server.url }
    await client.publish({ ...order, id: 'order-1' })
    await settled(client, 'order-1')
    expect(await nexus(['erase', 'order-1', '--yes', '--reason', 'asked for'], { env })).toEqual({
      code: 0,
      stdout: 'Erased the data, results and logs of order-1.\n',
      stderr: '',
    })
    const { stdout } = await nexus(['events', 'order-1'], { env })
    expect(stdout).toMatch(/\n {2}Erased {4}\d{4}-\d\d-\d\dT[\d:.]+Z: asked for\n/)
    expect(stdout).not.toContain('Ada')
    const json = await nexus(['erase', 'order-1', '-y', '--json'], { env })
    expect(JSON.parse(json.stdout)).toEqual({ id: 'order-1', erased: { at: expect.any(String) } })
  })

  it.runIf(process.platform === 'linux')('asks on a terminal before it erases', async () => {
    const { server, client } = await ordersServer()
    await client.publish({ ...order, id: 'order-1' })
    await settled(client, 'order-1')
    for (const answer of ['', 'no', 'yess']) {
      const { code, stdout } = await nexusOnTerminal(
        ['erase', 'order-1', '--url', server.url],
        answer,
      )
      expect(code).toBe(1)
      expect(stdout).toContain(
        'Erase the data, results and logs of order-1 (com.nexus.order.created',
      )
      expect(stdout).toContain('Nothing was erased')
    }
    expect((await client.getEvent('order-1')).event.data).toEqual(order.data)
    const asked = await nexusOnTerminal(['erase', 'order-1', '--url', server.url], 'y')
    expect(asked).toMatchObject({ code: 0 })
    expect((await client.getEvent('order-1')).event).not.toHaveProperty('data')
  })

  it('an unknown id is a 404 with a hint: exit code 1', async () => {
    const { server } = await ordersServer()
    for (const args of [
      ['events', 'none'],
      ['replay', 'none'],
      ['erase', 'none', '--yes'],
    ]) {
      expect(await nexus([...args, '--url', server.url])).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'Server returned status: 404 Not Found\nNo event has the id none; list the newest with: nexus events\n',
      })
    }
  })
})

describe('what a server sends', () => {
  const hostile: CloudEvent = {
    specversion: '1.0',
    id: 'a\u001b[2Jb',
    source: '/\u009b31m',
    type: 'x\u202ey',
    time: '2026-01-01T00:00:00.000Z',
    data: { key: '\u001b]0;owned\u0007', c1: '\u009b2J', line: 'a\nb' },
  }

  it('cannot control the terminal', async () => {
    const url = await fakeServer(200, { events: [hostile], total: 1 })
    for (const args of [['events'], ['events', '--json']]) {
      const { code, stdout } = await nexus([...args, '--url', url])
      expect(code).toBe(0)
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    }
    const { stdout } = await nexus(['events', '--json', '--url', url])
    expect(JSON.parse(stdout)).toEqual({ events: [hostile], total: 1 })
  })

  it('is shown with its status when it refuses', async () => {
    const url = await fakeServer(401, { error: { code: 'UNAUTHORIZED', message: 'no' } })
    expect(await nexus(['events', '--url', url])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Server returned status: 401 Unauthorized\nSet NEXUS_TOKEN to the token of the server\n',
    })
  })

  it('is met with patience for a reader that goes away', async () => {
    const events = Array.from({ length: 1000 }, (_, n) => ({ ...hostile, id: `e-${n}` }))
    const url = await fakeServer(200, { events, total: 1000 })
    const { code, stderr } = await nexusIntoHead(['events', '--limit', '1000', '--url', url])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

it.runIf(process.platform === 'linux').each([[['--help']], [['service', 'list']]])(
  '%j says that its output is lost on a full disk, and fails',
  async (args) => {
    const home = await mkdtemp(join(tmpdir(), 'nexus-full-'))
    onTestFinished(() => rm(home, { recursive: true }))
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const { code, stderr } = await nexus(args, { stdout: full, env: { NEXUS_HOME: home } })
    expect(stderr).toMatch(/^nexus: cannot write the output: ENOSPC/)
    expect(code).toBe(1)
  },
)
