import { UsageError } from './arguments.js'
import { commandLine } from './command-line.js'
import { help } from './help.js'
import { endOnClosedPipe, print, printable } from './terminal.js'

/** Set by the build. */
declare const NEXUS_VERSION: string

type Command = (args: readonly string[]) => Promise<void>

/** Each command is loaded when it is called, so that `--help` does not wait for any of them. */
const commands: Record<string, () => Promise<Command>> = {
  dev: async () => (await import('./commands/serve.js')).dev,
  start: async () => (await import('./commands/serve.js')).start,
  events: async () => (await import('./commands/events.js')).events,
  replay: async () => (await import('./commands/replay.js')).replay,
  metrics: async () => (await import('./commands/metrics.js')).metrics,
  optimizations: async () => (await import('./commands/optimizations.js')).optimizations,
  profile: async () => (await import('./commands/profile.js')).profile,
}

async function main(argv: string[]): Promise<void> {
  const [name, ...args] = commandLine(argv, (word) => Object.hasOwn(commands, word))
  if (name === '--version' || name === '-v') return print(`${NEXUS_VERSION}\n`)
  if (name === undefined && args.length > 0) throw new UsageError('expected a command')
  if (name === undefined || name === 'help' || [name, ...args].some(isHelp)) return print(help)
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const what = name.startsWith('-') ? 'option' : 'command'
    throw new UsageError(`unknown ${what} "${name}"`)
  }
  const command = await load()
  await command(args)
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h'
}

async function fail(error: unknown): Promise<void> {
  if (error instanceof UsageError) {
    process.stderr.write(`nexus: ${printable(error.message)}\nSee: nexus --help\n`)
    process.exitCode = 2
    return
  }
  const { describeFailure } = await import('./failure.js')
  process.stderr.write(describeFailure(error))
  process.exitCode = 1
}

endOnClosedPipe()
main(process.argv.slice(2)).catch(fail)
