import { isGroup } from './command-line/command.js'
import { leadingOptions } from './command-line/leading-options.js'
import { UsageError } from './command-line/usage-error.js'
import { nexus } from './commands/commands.js'
import { loaders } from './commands/loaders.js'
import { printError } from './terminal/output.js'
import { indentRest, printableLines } from './terminal/terminal.js'

/** What stands before `--help` where help on the command is. */
let prefix = nexus.prefix

async function main(argv: readonly string[]): Promise<void> {
  const known = (word: string) => Object.hasOwn(nexus.commands, word)
  const [name, ...args] = leadingOptions(argv, known)
  if (name === undefined) throw new UsageError('expected a command')
  if (!known(name)) {
    const what = name.startsWith('-') ? 'option' : 'command'
    throw new UsageError(`unknown ${what} "${name}"`)
  }
  const entry = nexus.commands[name as keyof typeof nexus.commands]
  if (!isGroup(entry)) return (await loaders[name as keyof typeof loaders]())(args)
  prefix = entry.prefix
  const [inner = '', ...rest] = args
  if (!Object.hasOwn(entry.commands, inner)) {
    throw new UsageError(`unknown command "${name} ${inner}"`)
  }
  return (await loaders[`${name} ${inner}` as keyof typeof loaders]())(rest)
}

async function fail(error: unknown): Promise<void> {
  if (error instanceof UsageError) {
    printError(`nexus: ${indentRest(printableLines(error.message), 2)}\nSee: ${prefix} --help\n`)
    process.exitCode = 2
    return
  }
  const { describeFailure } = await import('./server/failure.js')
  printError(describeFailure(error))
  process.exitCode = 1
}

main(process.argv.slice(2)).catch(fail)
