import { help, serviceHelp } from './help.js'
import { printNow } from './print-now.js'

/** Set by the build. */
declare const NEXUS_VERSION: string

/** What needs nothing of what the commands need; undefined where a command is asked for. */
function answerAtOnce([name, ...args]: readonly string[]): string | undefined {
  if (name === '--version' || name === '-v') return `${NEXUS_VERSION}\n`
  if (name === undefined || name === 'help') return help
  // What follows a `--` is for the script of a service.
  const end = args.indexOf('--')
  const own = [name, ...(end === -1 ? args : args.slice(0, end))]
  if (own.includes('--help') || own.includes('-h')) return name === 'service' ? serviceHelp : help
  return undefined
}

const answer = answerAtOnce(process.argv.slice(2))
if (answer === undefined) require('./main.cjs')
else printNow(answer)
