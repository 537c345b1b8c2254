// nexus service beside PM2: starting, asking, listing, and whether commands answer under load.
//
//   npm --prefix bench/peers install
//   node bench/service-pm2.mjs            (SECONDS=10 for a shorter steady load)
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CommandLock, ConnectionPool, MetricsCache, NativeEngine } from '@nexus/process-manager'
import { freePort, median, scratch } from './bus-slices.mjs'
import { printTable, timeCalls, verdict } from './slices.mjs'

const SECONDS = Number(process.env.SECONDS ?? 60)
const ROUNDS = Number(process.env.ROUNDS ?? 10)

const folder = scratch()
const home = join(folder, 'nexus')
const pm2Home = join(folder, 'pm2')
mkdirSync(pm2Home)
// PM2 greets, and asks its server for news, where this is missing.
writeFileSync(join(pm2Home, 'touch'), '')
const script = join(folder, 'web.cjs')
writeFileSync(
  script,
  "require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)",
)

// A certificate file in the environment would slow every start of Node down, and hide what differs.
const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
const env = { ...inherited, NEXUS_HOME: home, PM2_HOME: pm2Home, PM2_DISABLE_VERSION_CHECK: '1' }
const peers = createRequire(new URL('peers/package.json', import.meta.url))
const nexus = [new URL('../apps/cli/bin/nexus.cjs', import.meta.url).pathname]
const pm2 = [join(peers.resolve('pm2/package.json'), '../bin/pm2')]

/** Runs a command of Node to its end. */
async function run(args, extra = {}) {
  const began = performance.now()
  const child = spawn(process.execPath, args, {
    env: { ...env, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  return { ms: performance.now() - began, code, output }
}

async function mustRun(args, extra) {
  const outcome = await run(args, extra)
  if (outcome.code !== 0) throw new Error(`${args.join(' ')}: ${outcome.output}`)
  return outcome
}

function answers(port) {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}

/** From the command to the first 200 of its service, whichever comes first: the answer or the command's end. */
async function untilAnswered(command, port) {
  const began = performance.now()
  const ended = command()
  while (!(await answers(port))) await pause(1)
  const ms = performance.now() - began
  await ended
  return ms
}

const startNexus = (name, port) => () =>
  mustRun([...nexus, 'service', 'start', name, '--script', script, '--port', String(port)])
const startPm2 = (name, port) => () =>
  mustRun([...pm2, 'start', script, '--name', name], { PORT: String(port) })
const deleteNexus = (name) => mustRun([...nexus, 'service', 'delete', name])
const deletePm2 = (name) => mustRun([...pm2, 'delete', name])
const killNexus = async () => {
  const engine = new NativeEngine({ home })
  await engine.shutdown().catch(() => {})
  await engine.close()
}
const killPm2 = () => run([...pm2, 'kill'])

/** Runs the contestants in turn; medians in milliseconds, and of the ratios within a round. */
async function compare(contestants, rounds = ROUNDS) {
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(contestants)) {
      const ms = await measure()
      if (round > 0) times[name].push(ms) // the first round warms up
    }
  }
  return {
    ...Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)])),
    ratio: (reference) => median(times.ours.map((ms, round) => ms / times[reference][round])),
  }
}

const timed = (args) => async () => (await mustRun(args)).ms

async function main() {
  const rows = [['', 'nexus ms', 'pm2 ms', 'node -e 0 ms']]
  const row = (what, { ours, pm2: theirs, node }) =>
    rows.push([what, ...[ours, theirs, node].map((ms) => (ms === undefined ? '' : ms.toFixed(1)))])

  const help = await compare(
    { ours: timed([...nexus, '--help']), node: timed(['-e', '0']), pm2: timed([...pm2, '--help']) },
    3 * ROUNDS,
  )
  row('--help', help)

  const cold = await compare(
    {
      ours: async () => {
        await killNexus()
        const port = await freePort()
        const ms = await untilAnswered(startNexus('web', port), port)
        await deleteNexus('web')
        return ms
      },
      pm2: async () => {
        await killPm2()
        const port = await freePort()
        const ms = await untilAnswered(startPm2('web', port), port)
        await deletePm2('web')
        return ms
      },
    },
    Math.ceil(ROUNDS / 2),
  )
  row('start, cold, to the first 200', cold)

  const warmUp = () => pause(500) // for the pool to have filled up again, as it has between two commands of a person
  const warm = await compare({
    ours: async () => {
      await warmUp()
      const port = await freePort()
      const ms = await untilAnswered(startNexus('web', port), port)
      await deleteNexus('web')
      return ms
    },
    pm2: async () => {
      const port = await freePort()
      const ms = await untilAnswered(startPm2('web', port), port)
      await deletePm2('web')
      return ms
    },
  })
  row('start, warm, to the first 200', warm)

  const five = ['a', 'b', 'c', 'd', 'e']
  const startFive = async (start, remove) => {
    await warmUp()
    const ports = await Promise.all(five.map(freePort))
    const began = performance.now()
    await Promise.all(five.map((name, i) => untilAnswered(start(name, ports[i]), ports[i])))
    const ms = performance.now() - began
    await remove()
    return ms
  }
  const parallel = await compare(
    {
      ours: () => startFive(startNexus, () => mustRun([...nexus, 'service', 'delete', ...five])),
      pm2: () => startFive(startPm2, () => mustRun([...pm2, 'delete', ...five])),
    },
    Math.ceil(ROUNDS / 2),
  )
  row('5 services in parallel, to the last 200', parallel)

  for (let n = 0; n < 20; n++) {
    const name = `s${n}`
    await startNexus(name, await freePort())()
    await startPm2(name, await freePort())()
  }
  const list = await compare(
    {
      ours: timed([...nexus, 'service', 'list']),
      pm2: timed([...pm2, 'jlist']),
      node: timed(['-e', '0']),
    },
    3 * ROUNDS,
  )
  row('list of 20 services', list)
  const status = await compare(
    {
      ours: timed([...nexus, 'service', 'status', 's7']),
      pm2: timed([...pm2, 'describe', 's7']),
      node: timed(['-e', '0']),
    },
    3 * ROUNDS,
  )
  row('status of one of 20', status)

  console.log()
  printTable(rows)
  console.log()
  verdict('nexus --help, of node -e 0', help.ratio('node'), '≤1.25')
  verdict('start, warm', warm.ours, '≤60', 'ms')
  verdict('start, cold', cold.ours, '≤150', 'ms')
  verdict('5 services in parallel', parallel.ours, '≤400', 'ms')
  verdict('status by CLI, of node -e 0', status.ratio('node'), '≤1.5')
  verdict('list of 20', list.ours, '≤60', 'ms')
  verdict('list of 20, of pm2 jlist', list.ratio('pm2'), '≤0.6')

  await inProcess()
  await underLoad()
}

/** What a program that embeds the library pays. */
async function inProcess() {
  const engine = new NativeEngine({ home })
  const cache = new MetricsCache({ statusTtlMs: 3_600_000 })
  const lock = new CommandLock({ directory: join(folder, 'locks') })
  const pool = new ConnectionPool({ home: pm2Home, startDaemon: false })
  const reconnect = async () => {
    await pool.disconnect()
    await pool.call('ping', [{}])
  }
  const times = await timeCalls({
    'status of 20, cached': () => cache.get('status', '*', () => engine.list()),
    'status of 20, from the status file': () => engine.list(),
    'lock and unlock': () => lock.withLock('bench', () => {}),
  })
  const calls = await timeCalls(
    { 'PM2 call, connected': () => pool.call('ping', [{}]), 'PM2 call, reconnecting': reconnect },
    { callsPerSlice: 20, warmUp: 20 },
  )
  await pool.close()
  console.log()
  printTable([
    ['in process', 'p50 µs', 'p99 µs'],
    ...Object.entries({ ...times, ...calls }).map(([name, { p50, p99 }]) => [
      name,
      p50.toFixed(2),
      p99.toFixed(2),
    ]),
  ])
  console.log()
  verdict('status, cached', times['status of 20, cached'].p50, '≤10', 'µs')
  verdict('lock and unlock', times['lock and unlock'].p50 / 1000, '≤0.1', 'ms')
  await cache.close()
  await engine.close()
}

/** Shares of commands that did what they were asked to. */
async function underLoad() {
  const share = (outcomes) =>
    (100 * outcomes.filter(({ code }) => code === 0).length) / outcomes.length
  const many = (count, args) => Promise.all(Array.from({ length: count }, () => run(args)))
  const steady = async (args) => {
    const commands = []
    for (let n = 0; n < 10 * SECONDS; n++) {
      commands.push(run(args))
      await pause(100)
    }
    return Promise.all(commands)
  }
  const statuses = share(await many(100, [...nexus, 'service', 'status', 's3']))
  const statusesPm2 = share(await many(100, [...pm2, 'describe', 's3']))
  const checks = share(await many(50, [...nexus, 'service', 'health', 's3']))
  const steadily = share(await steady([...nexus, 'service', 'status', 's3']))
  const steadilyPm2 = share(await steady([...pm2, 'describe', 's3']))
  console.log()
  printTable([
    ['succeeded, %', 'nexus', 'pm2'],
    ['100 status commands at once', statuses, statusesPm2],
    ['50 health checks at once', checks, ''],
    [`10 status commands per second for ${SECONDS} s`, steadily, steadilyPm2],
  ])
  console.log()
  verdict('100 status commands at once', statuses, '≥100', '%')
  verdict('50 health checks at once', checks, '≥100', '%')
  verdict('10 per second', steadily, '≥100', '%')
}

try {
  await main()
} finally {
  await killNexus()
  await killPm2()
}
