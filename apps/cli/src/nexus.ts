import { isGroup } from './command-line/command.js'
import { completionsOf } from './command-line/completion.js'
import { helpOf } from './command-line/help.js'
import { nexus } from './commands/commands.js'
import { printNow } from './terminal/print-now.js'

/** Set by the build. */
declare const NEXUS_VERSION: string

/** What needs nothing of what the commands need; undefined where a command is asked for. */
function answerAtOnce([name, ...args]: readonly string[]): string | undefined {
  if (name === '--version' || name === '-v') return `${NEXUS_VERSION}\n`
  if (name === undefined || name === 'help') return helpOf(nexus)
  // A shell asks this at every press of the tab key.
  if (name === 'completion' && args[0] === 'words') {
    return completionsOf(nexus, args.slice(2))
      .map((word) => `${word}\n`)
      .join('')
  }
  // What follows a `--` is for the script of a service.
  const end = args.indexOf('--')
  const own = [name, ...(end === -1 ? args : args.slice(0, end))]
  const entry = Object.entries(nexus.commands).find(([command]) => command === name)?.[1]
  const group = entry && isGroup(entry) ? entry : undefined
  const asked = own.includes('--help') || own.includes('-h')
  if (group && (args[0] === undefined || args[0] === 'help')) return helpOf(group)
  return asked ? helpOf(group ?? nexus) : undefined
}

const answer = answerAtOnce(process.argv.slice(2))
if (answer === undefined) require('./main.cjs')
else printNow(answer)
