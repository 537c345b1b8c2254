import type { DescribeValue, ValueDescription } from './describe-value.js'
import type { LogLevel } from './protocol.js'
import type { Uncurry } from './uncurry.js'

/** What the console of a guest is made of. */
export interface ConsoleParts {
  uncurry: Uncurry
  describe: DescribeValue
  /** Writes a line of text. */
  write(level: LogLevel, line: string): void
  /** Has the host format values and write them, indented: as a line, as `[value, depth]`, or as the table `[rows, columns]`. */
  print(
    level: LogLevel,
    values: ValueDescription[],
    indent: number,
    kind: 'line' | 'dir' | 'table',
  ): void
  monotonic(): number
}

/**
 * Makes the guest's console. The guest gets the source of this function: it may use nothing but its argument and the
 * globals of the language, which it takes when it is made.
 */
export function createConsole(parts: ConsoleParts): Console {
  const { uncurry, describe, write, print, monotonic } = parts
  const [toText, ToError, ToMap] = [String, Error, Map]
  const includes = uncurry(String.prototype.includes)
  const repeat = uncurry(String.prototype.repeat)
  const join = uncurry(Array.prototype.join)
  const split = uncurry(String.prototype.split as (this: string, separator: string) => string[])
  const get = uncurry(ToMap.prototype.get) as (map: Map<string, number>, key: string) => number
  const set = uncurry(ToMap.prototype.set)
  const remove = uncurry(ToMap.prototype.delete)
  /** As Node shows values. */
  const LIMITS = { maxDepth: 2, maxItems: 100, asData: false }
  const { min } = Math
  const { defineProperty: define } = Object
  const INDENT = 2
  const MAX_INDENT = 40
  const MAX_DEPTH = 100
  const counts = new ToMap<string, number>()
  const starts = new ToMap<string, number>()
  let indent = 0

  /** Most lines are texts and numbers: the host need not look at them. */
  const simple = (values: readonly unknown[]): string | undefined => {
    let line = ''
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      const isText = typeof value === 'string'
      if (isText && i === 0 && values.length > 1 && includes(value, '%')) return undefined
      if (!isText && typeof value !== 'boolean' && !(typeof value === 'number' && value !== 0)) {
        return undefined
      }
      line += (i === 0 ? '' : ' ') + toText(value)
    }
    return line
  }
  const log =
    (level: LogLevel) =>
    (...values: unknown[]): void => {
      const line = simple(values)
      if (line !== undefined) {
        const pad = repeat(' ', indent)
        write(level, indent === 0 ? line : pad + join(split(line, '\n'), `\n${pad}`))
        return
      }
      const [format] = values
      const isDeep = typeof format === 'string' && includes(format, '%o')
      const described: ValueDescription[] = []
      for (let i = 0; i < values.length; i++) {
        const limits = isDeep ? { ...LIMITS, maxDepth: 4 } : LIMITS
        described[i] = describe(values[i], limits)
      }
      print(level, described, indent, 'line')
    }
  const [debug, info, warn, error] = [log('debug'), log('info'), log('warn'), log('error')]
  const labelOf = (label: unknown): string => (label === undefined ? 'default' : toText(label))
  const group = (...values: unknown[]): void => {
    if (values.length > 0) info(...values)
    if (indent < MAX_INDENT) indent += INDENT
  }
  const timeLog = (label?: unknown, ...values: unknown[]): void => {
    const name = labelOf(label)
    const start = get(starts, name)
    if (start === undefined) warn(`Warning: No such label '${name}' for console.timeLog()`)
    else info(`${name}: ${(monotonic() - start).toFixed(3)}ms`, ...values)
  }

  return {
    debug,
    log: info,
    info,
    warn,
    error,
    dir(value: unknown, options?: { depth?: number | null }) {
      const depth = options?.depth === null ? MAX_DEPTH : (options?.depth ?? LIMITS.maxDepth)
      const limits = { ...LIMITS, maxDepth: min(depth, MAX_DEPTH) }
      print('info', [describe(value, limits), limits.maxDepth], indent, 'dir')
    },
    dirxml: info,
    table(value: unknown, columns?: unknown) {
      if (typeof value !== 'object' || value === null) info(value)
      else print('info', [describe(value, LIMITS), describe(columns, LIMITS)], indent, 'table')
    },
    trace(...values: unknown[]) {
      const message = simple(values)
      const trace = new ToError(message)
      define(trace, 'name', { __proto__: null, value: 'Trace' } as PropertyDescriptor)
      error(...(message === undefined ? values : []), trace)
    },
    assert(condition: unknown, ...values: unknown[]) {
      if (condition) return
      const [message, ...rest] = values
      if (typeof message === 'string') warn(`Assertion failed: ${message}`, ...rest)
      else warn('Assertion failed', ...values)
    },
    count(label?: unknown) {
      const name = labelOf(label)
      const count = (get(counts, name) ?? 0) + 1
      set(counts, name, count)
      info(`${name}: ${count}`)
    },
    countReset(label?: unknown) {
      remove(counts, labelOf(label))
    },
    time(label?: unknown) {
      set(starts, labelOf(label), monotonic())
    },
    timeLog,
    timeEnd(label?: unknown) {
      timeLog(label)
      remove(starts, labelOf(label))
    },
    group,
    groupCollapsed: group,
    groupEnd() {
      if (indent > 0) indent -= INDENT
    },
    clear() {},
  } as unknown as Console
}
