import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessEngine, ServiceDefinition, ServiceStatus } from '@nexus/process-manager'
import { type Invocation, runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { CommandError } from '../../server/failure.js'
import { printNow } from '../../terminal/print-now.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { forgetShared, withEngine } from './engine/engine.js'
import { forEach, select } from './outcome.js'
import { everyService, targetOf } from './target.js'

const { start } = service.commands
const definitionOptions = [
  'script',
  'port',
  'env',
  'cwd',
  'instances',
  'lazy-init',
  'max-memory',
  'max-cpu',
  'health',
  'env-from',
  'env-file',
  'watch',
  'cron-restart',
  'no-autorestart',
]

const pollMs = 50

/** `nexus service start`: a new service, or ones that are known. */
export const runStart = runs(start, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const definition = await definitionFrom(names, invocation)
  const { wait, timeout } = invocation.values
  await withEngine(kind, async (engine) => {
    const begin = definition
      ? async () => [await engine.start(definition)]
      : async () => startKnown(engine, names)
    const started = await begin()
    await forgetShared(kind)
    const ready = wait
      ? await forEach(started, (name) => untilHealthy(engine, name, 1000 * timeout))
      : started
    printNow(json ? `${toJson(ready, 2)}\n` : ready.map(describe).join(''))
  })
})

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

async function definitionFrom(
  names: readonly string[],
  { values, given, scriptArguments: args }: Invocation<typeof start.options>,
): Promise<ServiceDefinition | undefined> {
  const [name] = names
  const { script, cwd, env, port, instances, health } = values
  if (script === undefined) {
    const option = definitionOptions.find((known) => given.has(known))
    if (option) throw new UsageError(`--${option} is for a new service, which needs --script`)
    if (args.length > 0)
      throw new UsageError('arguments are for a new service, which needs --script')
    return undefined
  }
  if (names.length > 1 || name === undefined) {
    throw new UsageError(`--script is for one service, got the names ${names.join(', ')}`)
  }
  if (name === everyService)
    throw new UsageError(`"${name}" means every service; choose another name`)
  const files = [values['env-from'], values['env-file']].filter((file) => file !== undefined)
  const [file] = files
  if (files.length > 1) throw new UsageError('--env-from and --env-file are one option: give one')
  const fromFile =
    file === undefined ? {} : (await import('@nexus/process-manager')).readEnvFile(file)
  const variables = { ...fromFile, ...Object.fromEntries(env) }
  return {
    name,
    script,
    ...(args.length > 0 ? { args } : {}),
    ...(cwd === undefined ? {} : { cwd }),
    ...(given.has('env') || file !== undefined ? { env: variables } : {}),
    ...(port === undefined ? {} : { port }),
    ...(instances === undefined ? {} : { instances }),
    ...(values['lazy-init'] ? { lazyInit: true } : {}),
    ...(values['max-memory'] === undefined ? {} : { maxMemoryBytes: values['max-memory'] }),
    ...(values['max-cpu'] === undefined ? {} : { maxCpuPercent: values['max-cpu'] }),
    ...(health === undefined ? {} : { health: { url: health } }),
    ...(values.watch ? { watch: [cwd ?? dirname(script)] } : {}),
    ...(values['cron-restart'] === undefined ? {} : { cronRestart: values['cron-restart'] }),
    ...(values['no-autorestart'] ? { autoRestart: false } : {}),
  }
}

function describe({ name, state, port, instances }: ServiceStatus): string {
  const pids = instances.flatMap(({ pid }) => (pid === null ? [] : [pid]))
  const where = port === null ? '' : `, port ${port}`
  return `${printable(name)} is ${printable(state)} (pid ${pids.join(', ') || '-'}${where})\n`
}
