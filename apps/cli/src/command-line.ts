import { UsageError } from './arguments.js'

/** Options of every command that asks a server; people write them before the command too. */
const globalOptions = new Map([
  ['--url', { takesValue: true }],
  ['--json', { takesValue: false }],
])

/**
 * The command and its arguments; global options before the command become its own.
 *
 * @throws UsageError for another option before the command, with what to write instead
 */
export function commandLine(
  argv: readonly string[],
  isCommand: (name: string) => boolean,
): [name: string | undefined, ...args: string[]] {
  const leading: string[] = []
  let rest = [...argv]
  for (;;) {
    const [first, ...others] = rest
    const option = first === undefined ? undefined : globalOptions.get(first.split('=', 1)[0]!)
    if (first === undefined || !option) break
    const count = option.takesValue && !first.includes('=') ? 2 : 1
    leading.push(...rest.slice(0, count))
    rest = count === 2 ? others.slice(1) : others
  }
  const [name, ...args] = rest
  if (name?.startsWith('-')) {
    const command = args.find(isCommand)
    if (command !== undefined) {
      const after = [...leading, name, ...args.filter((arg) => arg !== command)].join(' ')
      throw new UsageError(`${name} comes after the command: nexus ${command} ${after}`)
    }
  }
  return [name, ...leading, ...args]
}
