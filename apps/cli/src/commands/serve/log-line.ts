import {
  indentRest,
  printable,
  printableLines,
  type Style,
  toJson,
} from '../../terminal/terminal.js'

/** An entry of the log: its level, time and message, and what it is about. */
interface LogEntry {
  level: string
  time: string
  msg: string
  [field: string]: unknown
}

/** One entry of the log for people: time, level, message, and its fields as `name=value`. */
export function logLine(line: string, style: Style): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as LogEntry
  const shown = Object.entries(fields).map(
    ([name, value]) => `${style.dim(`${printable(name)}=`)}${fieldText(value)}`,
  )
  const clock = style.dim(new Date(time).toTimeString().slice(0, 8))
  const text = indentRest(printableLines(msg), 9)
  return `${clock} ${paint(level, style)} ${[text, ...shown].join('  ')}\n`
}

function paint(level: string, style: Style): string {
  const shown = printable(level).padEnd(5)
  if (level === 'error') return style.bad(shown)
  if (level === 'warn') return style.warn(shown)
  return level === 'info' ? style.good(shown) : style.dim(shown)
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[^\s="]+$/.test(value) ? printable(value) : toJson(value)
}
