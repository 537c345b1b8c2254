import type { Activity, RunActivity } from '@nexus/runtime'
import {
  indentRest,
  printable,
  printableLines,
  type Style,
  toJson,
} from '../../terminal/terminal.js'

/** What happened, for people: one line, and below it what the function logged. */
export function activityLine(activity: Activity, style: Style): string {
  const time = style.dim(new Date().toTimeString().slice(0, 8))
  if (activity.kind === 'run') return `${time} ${runLines(activity, style)}`
  if (activity.kind === 'reload') {
    return `${time} ${style.good('reloaded')} ${activity.functions.map(printable).join(', ')}\n`
  }
  return `${time} ${style.warn('problem')} ${indentRest(printableLines(activity.message), 9)}\n`
}

function runLines(run: RunActivity, style: Style): string {
  const status = run.status === 'success' ? style.good('success') : style.bad('error')
  const again = run.attempt > 1 ? ` attempt ${run.attempt}` : ''
  const what = style.dim(`${printable(run.event.type)} ${printable(run.event.id)}`)
  const name = style.bold(printable(run.function))
  const head = `${status} ${name} ${run.durationMs.toFixed(2)} ms${again}\n         ${what}\n`
  const logs = run.logs.map(
    ({ level, message, fields }) =>
      `         ${style.dim(printable(level))} ${indentRest(printableLines(message), 9)}${fields === undefined ? '' : ` ${toJson(fields)}`}\n`,
  )
  return head + logs.join('') + (run.error ? errorLines(run.error, style) : '')
}

function errorLines(
  { code, message, stack }: NonNullable<RunActivity['error']>,
  style: Style,
): string {
  const text = stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`.trimEnd()
  const lines = indentRest(printableLines(text), 9)
  return `         ${style.bad(printable(code))} ${lines}\n`
}
