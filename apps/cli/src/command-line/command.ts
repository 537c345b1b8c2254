import type { OptionSet } from './option.js'

/** What a command takes, declared once: help, completion and parsing all read it. */
export interface Command<Options extends OptionSet = OptionSet> {
  /** Each way to write its operands, with what it then does. */
  readonly usages: readonly (readonly [operands: string, summary: string])[]
  /** Its operands; without this it takes none. */
  readonly operands?: Operands
  readonly options: Options
  /** Whether what follows a `--` is for the script that it starts. */
  readonly takesScriptArguments?: boolean
}

/** How many operands a command takes. */
export interface Operands {
  /** The message when there are fewer than `min`. */
  readonly expected?: string
  /** @default 0 */
  readonly min?: number
  /** @default any number */
  readonly max?: number
  /** What the first operand may be, where that is a fixed word. */
  readonly words?: readonly string[]
}

/** Commands that share a page of help. */
export interface CommandGroup {
  /** What stands before the name of each of its commands: `nexus`, or `nexus service`. */
  readonly prefix: string
  readonly title: string
  /** How its commands are written. */
  readonly usage: string
  /** What stands above the list of commands. */
  readonly heading: string
  readonly commands: Readonly<Record<string, Command | CommandGroup>>
  /** What stands below the options. */
  readonly notes: string
  /** What the list of the group above says. */
  readonly summary: string
}

/** Ties the options of a command to their types. */
export function command<const Options extends OptionSet>(
  declared: Command<Options>,
): Command<Options> {
  return declared
}

/** Whether `entry` is a group of commands. */
export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return 'commands' in entry
}
