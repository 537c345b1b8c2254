import { writeFile } from 'node:fs/promises'
import type { FunctionSuspension, FunctionWait } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { print } from '../../terminal/output.js'
import { printable, type Style, styleOf, toJson } from '../../terminal/terminal.js'
import { field } from '../events/field.js'
import { suspensions } from './command.js'

/** `nexus suspensions` */
export const runSuspensions = runs(suspensions, async ({ values, operands: [first, id] }) => {
  const { function: name, name: waitName, limit, json, out } = values
  const client = connect(values.url)
  const style = styleOf(process.stdout)
  if (first === undefined || first === 'list') {
    if (id !== undefined) throw new UsageError('suspensions list: expected no id')
    const query = {
      limit,
      ...(name !== undefined && { function: name }),
      ...(waitName !== undefined && { name: waitName }),
    }
    const page = await attempt('fetch suspensions', client.url, client.suspensions(query))
    if (json) return print(`${toJson(page, 2)}\n`)
    const found = page.suspensions
    if (found.length === 0) return print('No call waits.\n')
    const more = page.next === undefined ? '' : '\nThere are more; see --limit.\n'
    return print(`${found.map((one) => describe(one, style)).join('')}${more}`)
  }
  if (first === 'cancel' || first === 'export') {
    if (id === undefined) throw new UsageError(`suspensions ${first}: expected an id`)
    if (first === 'cancel') {
      const receipt = await attempt('cancel', client.url, client.cancelSuspension(id))
      return print(json ? `${toJson(receipt, 2)}\n` : `Cancelled: ${printable(id)}\n`)
    }
    const image = await attempt('fetch the image', client.url, client.suspensionImage(id))
    const file = out ?? `${id}.image`
    await writeFile(file, image, { mode: 0o600 })
    return print(
      json ? `${toJson({ file, bytes: image.length }, 2)}\n` : `Wrote ${printable(file)}\n`,
    )
  }
  if (id !== undefined) throw new UsageError(suspensions.operands?.expected ?? '')
  const found = await attempt('fetch the suspension', client.url, client.suspension(first))
  print(json ? `${toJson(found, 2)}\n` : describe(found, style))
})

function describe(one: FunctionSuspension, style: Style): string {
  return [
    `${style.rule() || '\n'}${style.bold(printable(one.suspensionId))}\n`,
    field('Function', printable(one.function), style),
    field('Event', printable(`${one.event.id} (${one.event.type})`), style),
    field('Since', printable(one.suspendedAt), style),
    ...one.wakes.map((wake) => field('Waits for', waitText(wake), style)),
    field('Image', `${one.imageBytes} bytes`, style),
  ].join('')
}

function waitText({ suspensionId, kind, name, data, dueAt }: FunctionWait): string {
  const what = kind === 'sleep' ? 'a time' : kind === 'event' ? `an event ${name}` : name
  const due = dueAt === undefined ? '' : `, until ${dueAt}`
  const given = data === undefined ? '' : ` ${toJson(data)}`
  return `${printable(`${what}${due}, ${suspensionId}`)}${given}`
}
