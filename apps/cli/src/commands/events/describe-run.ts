import type { FunctionRun, LogLine, RunStatus } from '@nexus/client'
import { counted } from '../../terminal/counted.js'
import {
  indentRest,
  printable,
  printableLines,
  type Style,
  toJson,
} from '../../terminal/terminal.js'
import { field, inset } from './field.js'

/** What one function did with an event. */
export function describeRun(run: FunctionRun, style: Style): string {
  const took = run.durationMs === undefined ? '' : ` in ${run.durationMs.toFixed(2)} ms`
  const lines = [
    style.rule() || '\n',
    `${style.bold(printable(run.function))}  ${colored(run.status, style)}${took}, ${counted(run.attempts, 'attempt')}\n`,
    ...(run.value === undefined ? [] : [field('Returned', inset(run.value), style)]),
    ...(run.suspension === undefined
      ? []
      : [
          field(
            'Waits for',
            printable(`${run.suspension.name}, ${run.suspension.suspensionId}`),
            style,
          ),
        ]),
    ...run.logs.map((line) => field('Log', logLine(line), style)),
    ...(run.truncated === undefined
      ? []
      : [
          field(
            'Cut',
            printable(`${run.truncated.join(', ')}: too large to be stored whole`),
            style,
          ),
        ]),
  ]
  if (run.error) {
    const { code, message, stack } = run.error
    const detail = printableLines(stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`)
    lines.push(field('Error', indentRest(`${printable(code)}: ${detail.trimEnd()}`, 12), style))
  }
  return lines.join('')
}

function colored(given: RunStatus, style: Style): string {
  const status = printable(given)
  if (status === 'succeeded') return style.good(status)
  return status === 'dead-lettered' ? style.bad(status) : style.warn(status)
}

function logLine({ level, message, fields }: LogLine): string {
  return `${printable(level)} ${indentRest(printableLines(message), 12)}${fields === undefined ? '' : ` ${toJson(fields)}`}`
}
