import { serverOptions } from '../commands/server-options.js'
import { UsageError } from './usage-error.js'

/** Options of every command that asks a server; people write them before the command too. */
const globalOptions = new Map(
  Object.entries(serverOptions).map(([name, { value }]) => [`--${name}`, value !== undefined]),
)

/**
 * The command and its arguments; global options before the command become its own.
 *
 * @throws UsageError for another option before the command, with what to write instead
 */
export function leadingOptions(
  argv: readonly string[],
  isCommand: (name: string) => boolean,
): [name: string | undefined, ...args: string[]] {
  const leading: string[] = []
  let rest = [...argv]
  for (;;) {
    const [first, ...others] = rest
    const takesValue = first === undefined ? undefined : globalOptions.get(first.split('=', 1)[0]!)
    if (first === undefined || takesValue === undefined) break
    const count = takesValue && !first.includes('=') ? 2 : 1
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
