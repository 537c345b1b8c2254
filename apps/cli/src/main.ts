import { UsageError } from './arguments.js'
import { commandLine } from './command-line.js'
import { endOnClosedPipe, printable } from './terminal.js'

type Command = (args: readonly string[]) => Promise<void>

/** Each command is loaded when it is called, so that none waits for the others. */
const commands: Record<string, () => Promise<Command>> = {
  dev: async () => (await import('./commands/serve.js')).dev,
  start: async () => (await import('./commands/serve.js')).start,
  events: async () => (await import('./commands/events.js')).events,
  replay: async () => (await import('./commands/replay.js')).replay,
  metrics: async () => (await import('./commands/metrics.js')).metrics,
  optimizations: async () => (await import('./commands/optimizations.js')).optimizations,
  profile: async () => (await import('./commands/profile.js')).profile,
  service: async () => (await import('./commands/service.js')).service,
}

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...args] = commandLine(argv, (word) => Object.hasOwn(commands, word))
  if (name === undefined) throw new UsageError('expected a command')
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const what = name.startsWith('-') ? 'option' : 'command'
    throw new UsageError(`unknown ${what} "${name}"`)
  }
  const command = await load()
  await command(args)
}

async function fail(error: unknown): Promise<void> {
  endOnClosedPipe()
  if (error instanceof UsageError) {
    process.stderr.write(`nexus: ${printable(error.message)}\nSee: nexus ${error.topic}--help\n`)
    process.exitCode = 2
    return
  }
  const { describeFailure } = await import('./failure.js')
  process.stderr.write(describeFailure(error))
  process.exitCode = 1
}

main(process.argv.slice(2)).catch(fail)
