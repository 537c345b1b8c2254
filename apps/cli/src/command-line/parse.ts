import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Command } from './command.js'
import type { OptionSet, Values } from './option.js'
import { UsageError } from './usage-error.js'

/** A command line that was understood. */
export interface Invocation<Options extends OptionSet> {
  readonly values: Values<Options>
  readonly operands: readonly string[]
  /** The names of the options that were given. */
  readonly given: ReadonlySet<string>
  /** What follows a `--`, for the script that the command starts. */
  readonly scriptArguments: readonly string[]
}

/** A command that runs the arguments it is given. */
export type Run = (args: readonly string[]) => Promise<void>

/** Ties what a command declares to what it does. */
export function runs<Options extends OptionSet>(
  declared: Command<Options>,
  action: (invocation: Invocation<Options>) => Promise<void> | void,
): Run {
  return async (args) => action(parse(declared, args))
}

/**
 * Parses strictly.
 *
 * @throws UsageError for unknown options, and for operands that are missing or too many
 */
export function parse<Options extends OptionSet>(
  { options, operands = { max: 0 }, takesScriptArguments }: Command<Options>,
  args: readonly string[],
): Invocation<Options> {
  const dashes = takesScriptArguments ? args.indexOf('--') : -1
  const own = dashes === -1 ? args : args.slice(0, dashes)
  const { values, positionals } = parseWords(own, options)
  const given = new Set(Object.keys(values))
  const read = Object.entries(options).map(([name, option]) => {
    const value = values[name]
    const texts =
      value === undefined ? [] : [value].flat().map((text) => (text === true ? '' : text))
    return [name, option.read(`--${name}`, texts as string[])]
  })
  const surplus = positionals[operands.max ?? Number.POSITIVE_INFINITY]
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"`)
  if (positionals.length < (operands.min ?? 0))
    throw new UsageError(operands.expected ?? 'expected more arguments')
  return {
    values: Object.fromEntries(read) as Values<Options>,
    operands: positionals,
    given,
    scriptArguments: dashes === -1 ? [] : args.slice(dashes + 1),
  }
}

function parseWords(args: readonly string[], options: OptionSet) {
  const config: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, { value, short, multiple = false }] of Object.entries(options)) {
    const type = value === undefined ? 'boolean' : 'string'
    config[name] = { type, multiple, ...(short === undefined ? {} : { short }) }
  }
  try {
    return parseArgs({ args: [...args], options: config, strict: true, allowPositionals: true })
  } catch (error) {
    // Node adds advice about `--` that does not help with a mistyped option.
    throw new UsageError((error as Error).message.split('. To specify')[0]!)
  }
}
