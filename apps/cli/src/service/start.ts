import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessEngine, ServiceDefinition, ServiceStatus } from '@nexus/process-manager'
import { parseCount, UsageError } from '../arguments.js'
import { CommandError } from '../failure.js'
import { printNow } from '../print-now.js'
import { printable, toJson } from '../terminal.js'
import { everyService, parseServiceArguments } from './arguments.js'
import { withEngine } from './engine.js'
import { forEach, select } from './outcome.js'

const definitionOptions = {
  script: { type: 'string' },
  port: { type: 'string' },
  env: { type: 'string', multiple: true },
  cwd: { type: 'string' },
  instances: { type: 'string' },
  'lazy-init': { type: 'boolean' },
  'max-memory': { type: 'string' },
  'max-cpu': { type: 'string' },
  health: { type: 'string' },
} as const
const startOptions = {
  ...definitionOptions,
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
} as const

const pollMs = 50

/** `nexus service start`: a new service, or ones that are known. */
export async function start(args: readonly string[]): Promise<void> {
  const dashes = args.indexOf('--')
  const [own, forScript] =
    dashes === -1 ? [args, []] : [args.slice(0, dashes), args.slice(dashes + 1)]
  const { values, names, engine: kind, json } = parseServiceArguments(own, startOptions)
  if (names.length === 0) throw new UsageError('expected the name of a service')
  const timeoutMs = 1000 * parseCount('--timeout', values.timeout ?? '60', 1, 86_400)
  const definition = definitionFrom(names, values, forScript)
  await withEngine(kind, async (engine) => {
    const begin = definition
      ? async () => [await engine.start(definition)]
      : async () => startKnown(engine, names)
    const started = await begin()
    const ready = values.wait
      ? await forEach(started, (name) => untilHealthy(engine, name, timeoutMs))
      : started
    printNow(json ? `${toJson(ready, 2)}\n` : ready.map(describe).join(''))
  })
}

/** Those that run are left alone. */
async function startKnown(
  engine: ProcessEngine,
  names: readonly string[],
): Promise<readonly ServiceStatus[]> {
  const known = select(await engine.list(), names)
  const idle = new Set(
    known.filter(({ state }) => state === 'stopped' || state === 'errored').map(({ name }) => name),
  )
  return await forEach(known, async (name) =>
    idle.has(name) ? engine.restart(name) : known.find((service) => service.name === name)!,
  )
}

async function untilHealthy(
  engine: ProcessEngine,
  name: string,
  timeoutMs: number,
): Promise<ServiceStatus> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const status = (await engine.list()).find((service) => service.name === name)
    const leftMs = Math.max(1, deadline - performance.now())
    let reason = status ? `it is ${status.state}` : 'it was deleted'
    if (status?.state === 'online') {
      const report = await engine.health(name, leftMs)
      if (report.healthy) return status
      reason = report.reason ?? 'it is not healthy'
    }
    if (!status || status.state === 'errored' || performance.now() >= deadline) {
      const seconds = timeoutMs / 1000
      throw new CommandError(
        `Service "${name}" did not become healthy within ${seconds} s: ${reason}`,
        `See what it wrote: nexus service logs ${name}`,
      )
    }
    await pause(pollMs)
  }
}

function definitionFrom(
  names: readonly string[],
  values: {
    script?: string
    port?: string
    env?: string[]
    cwd?: string
    instances?: string
    'lazy-init'?: boolean
    'max-memory'?: string
    'max-cpu'?: string
    health?: string
  },
  args: readonly string[],
): ServiceDefinition | undefined {
  const [name] = names
  if (values.script === undefined) {
    const given = Object.keys(definitionOptions).find((key) => Object.hasOwn(values, key))
    if (given) throw new UsageError(`--${given} is for a new service, which needs --script`)
    if (args.length > 0)
      throw new UsageError('arguments are for a new service, which needs --script')
    return undefined
  }
  if (names.length > 1 || name === undefined) {
    throw new UsageError(`--script is for one service, got the names ${names.join(', ')}`)
  }
  if (name === everyService)
    throw new UsageError(`"${name}" means every service; choose another name`)
  return {
    name,
    script: resolve(values.script),
    ...(args.length > 0 ? { args } : {}),
    ...(values.cwd === undefined ? {} : { cwd: resolve(values.cwd) }),
    ...(values.env === undefined ? {} : { env: Object.fromEntries(values.env.map(parseVariable)) }),
    ...(values.port === undefined ? {} : { port: parseCount('--port', values.port, 1, 65_535) }),
    ...(values.instances === undefined
      ? {}
      : { instances: parseCount('--instances', values.instances, 1, 256) }),
    ...(values['lazy-init'] ? { lazyInit: true } : {}),
    ...(values['max-memory'] === undefined
      ? {}
      : { maxMemoryBytes: parseBytes('--max-memory', values['max-memory']) }),
    ...(values['max-cpu'] === undefined
      ? {}
      : { maxCpuPercent: parseCount('--max-cpu', values['max-cpu'], 1, 100_000) }),
    ...(values.health === undefined
      ? {}
      : { health: { url: parseUrl('--health', values.health) } }),
  }
}

function parseVariable(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1 || text.includes('\0')) {
    throw new UsageError('--env: expected NAME=VALUE')
  }
  return [text.slice(0, equals), text.slice(equals + 1)]
}

const byteUnits: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

function parseBytes(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMG]?)B?$/i.exec(text) ?? []
  const bytes = Number(digits) * byteUnits[unit.toUpperCase()]!
  if (digits === '' || bytes < 1 || !Number.isSafeInteger(bytes)) {
    throw new UsageError(`${option}: expected a number of bytes such as 512M, got "${text}"`)
  }
  return bytes
}

function parseUrl(option: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new UsageError(`${option}: expected an http or https URL, got "${text}"`)
}

function describe({ name, state, port, instances }: ServiceStatus): string {
  const pids = instances.flatMap(({ pid }) => (pid === null ? [] : [pid]))
  const where = port === null ? '' : `, port ${port}`
  return `${printable(name)} is ${state} (pid ${pids.join(', ') || '-'}${where})\n`
}
