import { relative } from 'node:path'
import { RuntimeError } from '../errors.js'

/** One mistake in a file, with its place. */
export interface Problem {
  /** What was expected, and what is there. */
  message: string
  /** Counted from 1. */
  line: number
  /** Counted from 1. */
  column: number
}

/** A configuration that cannot be used; `problems` holds every mistake of the file with its place. */
export class ConfigError extends RuntimeError {
  constructor(
    /** Path of the configuration file. */
    readonly file: string,
    /** Every mistake, in the order of the file. */
    readonly problems: readonly Problem[],
    text: string,
    /** `elsewhere` are mistakes in other places, such as the environment: told in the message. */
    { elsewhere = [], ...options }: ErrorOptions & { elsewhere?: readonly RuntimeError[] } = {},
  ) {
    const lines = text.split(/\r?\n/)
    super(
      'CONFIG_INVALID',
      [
        ...problems.map((problem) => describe(displayPath(file), problem, lines)),
        ...elsewhere.map(({ message }) => message),
      ].join('\n\n'),
      options,
    )
  }
}

/** A path as its user would write it: relative to the working directory when it lies below it. */
export function displayPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

/** `file:line:column: message`, then the line with a caret below the column. */
function describe(file: string, { line, column, message }: Problem, lines: string[]): string {
  const source = withoutPasswords((lines[line - 1] ?? '').replaceAll('\t', ' '))
  const number = String(line)
  const caret = ' '.repeat(Math.max(0, column - 1))
  return [
    `${file}:${line}:${column}: ${message}`,
    '',
    `  ${number} | ${source}`.trimEnd(),
    `  ${' '.repeat(number.length)} | ${caret}^`,
  ].join('\n')
}

/** Covers what is between `://` and `@`, and keeps every column where it is. */
function withoutPasswords(line: string): string {
  return line.replace(/(?<=:\/\/)\S*(?=@)/g, (secret) => '*'.repeat(secret.length))
}
