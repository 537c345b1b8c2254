import type { FunctionPause, FunctionSchedule, FunctionStatus } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { printable, type Style, styleOf, toJson } from '../../terminal/terminal.js'
import { field } from '../events/field.js'
import { functions } from './command.js'

/** `nexus functions`, `nexus functions pause` and `nexus functions resume` */
export const runFunctions = runs(functions, async ({ values, operands: [action, name] }) => {
  const client = connect(values.url)
  if (action === 'pause' || action === 'resume') {
    if (name === undefined)
      throw new UsageError(`functions ${action}: expected the name of a function`)
    const { reason } = values
    const asked =
      action === 'pause'
        ? client.pauseFunction(name, reason === undefined ? {} : { reason })
        : client.resumeFunction(name)
    const receipt = await attempt(`${action} ${name}`, client.url, asked)
    if (values.json) return print(`${toJson(receipt, 2)}\n`)
    const done = action === 'pause' ? 'Paused; its events wait' : 'Resumed'
    return print(`${done}: ${printable(name)}\n`)
  }
  if ((action ?? 'list') !== 'list' || name !== undefined) {
    throw new UsageError(functions.operands?.expected ?? '')
  }
  const found = await attempt('fetch functions', client.url, client.functions())
  if (values.json) return print(`${toJson(found, 2)}\n`)
  if (found.length === 0) return print('No functions run; name them in nexus.yaml.\n')
  const style = styleOf(process.stdout)
  print(found.map((one) => describe(one, style)).join('\n'))
})

function describe(one: FunctionStatus, style: Style): string {
  const { name, events, schedule, http, paused, running, succeeded, failed, deadLettered } = one
  const done = `${running} running, ${succeeded} succeeded, ${failed} failed, ${deadLettered} dead-lettered`
  return [
    `${style.bold(printable(name))}\n`,
    ...(events.length === 0 ? [] : [field('Events', printable(events.join(', ')), style)]),
    ...(schedule === undefined ? [] : scheduleFields(schedule, style)),
    ...(http === undefined ? [] : [field('Answers', requestsText(http), style)]),
    ...(paused === undefined ? [] : [field('Paused', pauseText(paused), style)]),
    field('Calls', done, style),
  ].join('')
}

function requestsText({ method, path, auth }: NonNullable<FunctionStatus['http']>): string {
  return printable(`${method.join(', ')} ${path}${auth === 'none' ? ', without a token' : ''}`)
}

function pauseText({ at, by, reason }: FunctionPause): string {
  const who = by === 'policy' ? ', by its policy' : ''
  return printable(`since ${at}${who}${reason === undefined ? '' : `: ${reason}`}`)
}

function scheduleFields({ cron, timeZone, nextAt }: FunctionSchedule, style: Style): string[] {
  return [
    field('Schedule', printable(`${cron} (${timeZone})`), style),
    field('Next', printable(nextAt ?? 'never'), style),
  ]
}
