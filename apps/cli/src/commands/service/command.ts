import { resolve } from 'node:path'
import { type CommandGroup, command } from '../../command-line/command.js'
import { choice, count, flag, list, option } from '../../command-line/option.js'
import { UsageError } from '../../command-line/usage-error.js'
import { json } from '../server-options.js'

const shared = {
  engine: choice('<name>', 'native, or pm2 for the services of a PM2 daemon (default: native)', [
    'native',
    'pm2',
  ]),
  json,
}
const names = { expected: 'expected the names of services, or all' }
const someNames = { ...names, min: 1 }

const start = command({
  usages: [['<name>', 'start a service; with --script a new one, else one that is known']],
  operands: { expected: 'expected the name of a service', min: 1 },
  takesScriptArguments: true,
  options: {
    script: path('<file>', 'the JavaScript to run; what follows a -- are its arguments'),
    port: count('<number>', 'given to it as PORT; several instances share it', {
      min: 1,
      max: 65_535,
    }),
    env: list('<K=V>', 'set an environment variable; may be repeated', parseVariable),
    'env-from': path('<file>', 'NAME=value lines; --env is on top of them'),
    'env-file': path('<file>', 'the same, see below'),
    cwd: path('<directory>', 'where it runs (default: the directory of the script)'),
    instances: count('<n>', 'processes, 1 to 256 (default: 1)', { min: 1, max: 256 }),
    'lazy-init': flag('done once it accepts work; it goes on initialising'),
    'max-memory': option('<n>', 'restart a process above it: bytes, or with K, M or G', parseBytes),
    'max-cpu': count('<n>', 'percent of one core that a process may use', { min: 1, max: 100_000 }),
    health: option('<url>', 'healthy while this answers 200 to 399; restarted when not', parseUrl),
    watch: flag('restart it when a file in its directory changes'),
    'cron-restart': option('<cron>', 'restart it at these times, such as "0 4 * * *"', parseText),
    'no-autorestart': flag('leave it down when it ends by itself'),
    wait: flag('done only once it has initialised and is healthy'),
    timeout: timeout('with --wait: seconds to wait (default: 60)', 60, 86_400),
    ...shared,
  },
})

const stop = command({
  usages: [['<name>', 'end it, politely first; it stays known']],
  operands: someNames,
  options: shared,
})
const restart = command({
  usages: [['<name>', 'stop and start it, one instance after the other']],
  operands: someNames,
  options: shared,
})
const reload = command({
  usages: [['<name>', 'replace its processes without refusing a connection to its port']],
  operands: someNames,
  options: shared,
})
const scale = command({
  usages: [['<name> <n>', 'run it in that number of processes, 1 to 256']],
  operands: { expected: 'expected the name of a service and a number', min: 2, max: 2 },
  options: shared,
})
const apply = command({
  usages: [['<file>', 'make services run as a YAML file says; see below']],
  operands: { expected: 'expected a file that lists services', min: 1, max: 1 },
  options: shared,
})
const startup = command({
  usages: [['', 'print a systemd unit that starts what was saved with the machine']],
  options: { write: flag('write it for this user; it is not enabled') },
})
const top = command({
  usages: [['[<name>]', 'CPU and memory of each service, with their course, until Ctrl-C']],
  operands: names,
  options: {
    interval: count('<s>', 'seconds between two readings (default: 1)', {
      min: 1,
      max: 3600,
      fallback: 1,
    }),
    count: count('<n>', 'end after this number of readings', { min: 1, max: 1_000_000 }),
    ...shared,
  },
})
const remove = command({
  usages: [['<name>', 'stop and forget it, its logs too']],
  operands: someNames,
  options: shared,
})
const readings = { 'no-cache': flag('ask the daemon, not NEXUS_SERVICE_REDIS_URL'), ...shared }
const status = command({
  usages: [['[<name>]', 'each process: state, pid, CPU, memory, uptime, restarts']],
  operands: names,
  options: readings,
})
const listing = command({ usages: [['', 'each service in one line']], options: readings })
const metrics = command({
  usages: [['[<name>]', 'CPU in % of a core, memory in MB, uptime in s, restarts']],
  operands: names,
  options: readings,
})
const health = command({
  usages: [['[<name>]', 'check it now: by its health check, else its port, else its state']],
  operands: names,
  options: { timeout: timeout('seconds to wait (default: 5)', 5, 3600), ...shared },
})
const logs = command({
  usages: [['<name>', 'the last lines it wrote']],
  operands: someNames,
  options: {
    follow: flag('go on until Ctrl-C', 'f'),
    lines: count('<number>', 'how many, 0 to 100000 (default: 100)', {
      min: 0,
      max: 100_000,
      fallback: 100,
    }),
    filter: option('<regex>', 'of these only the lines that match', parseFilter),
    ...shared,
  },
})
const save = command({ usages: [['', 'write down what runs now']], options: shared })
const resurrect = command({
  usages: [['', 'start what was saved and does not run']],
  options: shared,
})

export const service = {
  prefix: 'nexus service',
  title: 'Runs services that outlive the command: starts, stops and watches them.',
  usage: 'nexus service <command> [<name>...] [options]',
  heading: 'Commands (a <name> may be `all`, and most take several)',
  summary: 'start, stop and watch services; see: nexus service --help',
  commands: {
    start,
    stop,
    restart,
    reload,
    scale,
    apply,
    delete: remove,
    status,
    list: listing,
    metrics,
    health,
    logs,
    top,
    save,
    resurrect,
    startup,
  },
  notes: `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something does not run or is not healthy
(status, health), 4 no such service. NEXUS_HOME is where services are kept
(default: $XDG_STATE_HOME/nexus or ~/.nexus), PM2_HOME the same for --engine pm2.
NEXUS_SERVICE_REDIS_URL is a Redis server through which commands that come within half a
second of each other share what was listed and measured; with --no-cache each asks.
Node reads an --env-file itself first, wherever it stands: a file that is missing ends with
Node's own message and code 9, and its NODE_OPTIONS also count for the command. --env-from is
the same under a name that Node leaves alone.
A file for apply: {"services": {"web": {"script": "web.js", "port": 3000}}}, as YAML or
JSON, with the fields of a definition; services it does not name are left alone.`,
} satisfies CommandGroup

/** Which engine runs the services. */
export type EngineKind = 'native' | 'pm2'

function path(value: string, description: string) {
  return option(value, description, (_name, given) => resolve(given))
}

function timeout(description: string, fallback: number, max: number) {
  return count('<s>', description, { min: 1, max, fallback })
}

function parseVariable(name: string, given: string): readonly [string, string] {
  const equals = given.indexOf('=')
  if (equals < 1 || given.includes('\0')) throw new UsageError(`${name}: expected NAME=VALUE`)
  return [given.slice(0, equals), given.slice(equals + 1)]
}

const byteUnits: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

function parseBytes(name: string, given: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMG]?)B?$/i.exec(given) ?? []
  const bytes = Number(digits) * byteUnits[unit.toUpperCase()]!
  if (digits === '' || bytes < 1 || !Number.isSafeInteger(bytes)) {
    throw new UsageError(`${name}: expected a number of bytes such as 512M, got "${given}"`)
  }
  return bytes
}

function parseText(_name: string, given: string): string {
  return given
}

function parseUrl(name: string, given: string): string {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
  throw new UsageError(`${name}: expected an http or https URL, got "${given}"`)
}

function parseFilter(name: string, given: string): RegExp {
  try {
    return new RegExp(given, 'u')
  } catch (error) {
    throw new UsageError(`${name}: ${(error as SyntaxError).message}`)
  }
}
