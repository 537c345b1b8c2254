import { type ParseArgsConfig, parseArgs } from 'node:util'

/** A command line that makes no sense: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  /** @param topic the command whose help says more, with a space behind it */
  constructor(
    message: string,
    readonly topic = '',
  ) {
    super(message)
  }
}

type Options = NonNullable<ParseArgsConfig['options']>

/** Parses strictly; unknown options and surplus arguments are usage errors. */
export function parseArguments<const T extends Options>(
  args: readonly string[],
  options: T,
  maxPositionals = 0,
) {
  const parsed = parse(args, options)
  const surplus = parsed.positionals[maxPositionals]
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"`)
  return parsed
}

function parse<const T extends Options>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true })
  } catch (error) {
    // Node adds advice about `--` that helps nobody who mistyped an option.
    throw new UsageError((error as Error).message.split('. To specify')[0]!)
  }
}

/** A whole number within bounds, from the value of an option. */
export function parseCount(option: string, value: string, min: number, max: number): number {
  const count = Number(value)
  if (!/^\d+$/.test(value) || count < min || count > max) {
    throw new UsageError(`${option}: expected a whole number from ${min} to ${max}, got "${value}"`)
  }
  return count
}
