import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { formatWithOptions, inspect } from 'node:util'
import type { Redact } from './redactor.js'
import { errorTexts, isHole, isPlain, reviveValue, setFields, textOf } from './revive-value.js'

const OPTIONS = { breakLength: 80, colors: false }
/** A group of the console is indented by at most this many spaces. */
const MAX_INDENT = 40
/** A larger table is shown as a value. */
const MAX_CELLS = 10_000

/**
 * What a guest printed, as the console of Node writes it.
 *
 * @param descriptionsJson JSON of a list, as a guest wrote it: it may say anything
 * @param redact takes secrets out of each text
 * @param layout `kind` is `line`, `dir` with the value and its depth, or `table` with the rows and the columns
 */
export function printedText(
  descriptionsJson: string,
  { indent, kind }: { indent: number; kind: string | undefined },
  redact: Redact,
): string {
  const descriptions = parseRedacted(descriptionsJson, redact)
  const values = Array.isArray(descriptions) ? descriptions : [descriptions]
  const text = layOut(values.map(reviveValue), kind)
  const spaces = ' '.repeat(Math.min(Math.max(0, indent || 0), MAX_INDENT))
  return spaces === '' ? text : text.replaceAll(/^/gm, spaces)
}

/**
 * Fields of a log line as JSON; what JSON has not is text, as `inspect` of Node shows it.
 *
 * @param redact takes secrets out of each text
 * @param descriptionJson JSON, as a guest wrote it: it may say anything
 */
export function fieldsJson(descriptionJson: string, redact: Redact): string | undefined {
  return JSON.stringify(dataOf(parseRedacted(descriptionJson, redact)))
}

/** Without secrets before anything is shown: what shows a text escapes characters, and parts it at the ends of lines. */
function parseRedacted(json: string, redact: Redact): unknown {
  return JSON.parse(json, (_key, value) => (typeof value === 'string' ? redact(value) : value))
}

function layOut(values: readonly unknown[], kind: string | undefined): string {
  if (kind === 'table' && isSmallTable(values[0])) return tableText(values)
  if (kind !== 'dir') return formatWithOptions(OPTIONS, ...values)
  return inspect(values[0], { ...OPTIONS, depth: Number(values[1]) || 0 })
}

/** Every row has every column: a few long rows of different fields would make a very long text. */
function isSmallTable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const rows = Object.values(value).slice(0, MAX_CELLS)
  const columns = new Set(
    rows.flatMap((row) => (typeof row === 'object' && row ? Object.keys(row) : [])),
  )
  return rows.length * columns.size <= MAX_CELLS
}

function tableText([value, columns]: readonly unknown[]): string {
  let text = ''
  const write = (line: string): boolean => {
    text += line
    return true
  }
  const stdout = Object.assign(new Writable(), { write }) as Writable
  const names = Array.isArray(columns)
    ? columns.filter((name) => typeof name === 'string')
    : undefined
  new Console({ stdout, inspectOptions: { colors: false } }).table(value, names)
  return text.trimEnd()
}

/** As JSON where it has the kind of value, else as text. */
function dataOf(description: unknown): unknown {
  if (!Array.isArray(description)) return isPlain(description) ? description : '[unknown]'
  const [tag, ...parts] = description as [unknown, ...unknown[]]
  switch (tag) {
    case 'u':
      return undefined
    case 'a':
      return parts.slice(2).map((item) => (isHole(item) ? null : dataOf(item)))
    case 'o': {
      const fields = {}
      setFields(fields, parts, 2, dataOf)
      return fields
    }
    case 'e': {
      const { name, message, stack } = errorTexts(parts)
      const fields = { name, message, stack }
      setFields(fields, parts, 5, dataOf)
      return fields
    }
    case 'd': {
      const date = reviveValue(description) as Date
      return Number.isNaN(date.getTime()) ? 'Invalid Date' : date.toISOString()
    }
    case 'x':
      return textOf(parts[0])
    case 'c':
      return '[Circular]'
    default:
      return inspect(reviveValue(description), { breakLength: Number.POSITIVE_INFINITY })
  }
}
