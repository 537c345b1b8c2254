import type { DeadLetterFilter, FunctionDeadLetter, FunctionDeadLetterPage } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { confirm } from '../../terminal/confirm.js'
import { counted } from '../../terminal/counted.js'
import { print } from '../../terminal/output.js'
import { printable, type Style, styleOf, toJson } from '../../terminal/terminal.js'
import { field } from '../events/field.js'
import { deadLetters } from './command.js'

/** `nexus dead-letters`, `nexus dead-letters redrive` and `nexus dead-letters purge` */
export const runDeadLetters = runs(deadLetters, async ({ values, operands: [action = 'list'] }) => {
  const { function: name, id, source, all, limit, yes, json } = values
  const filter: DeadLetterFilter = {
    ...(name !== undefined && { function: name }),
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
  }
  if (!['list', 'redrive', 'purge'].includes(action)) {
    throw new UsageError(`dead-letters: expected list, redrive or purge, got "${action}"`)
  }
  const isFiltered = name !== undefined || id !== undefined
  if (action !== 'list' && isFiltered === all) {
    throw new UsageError(`dead-letters ${action}: expected --function or --id, or --all`)
  }
  const client = connect(values.url)
  const find = (most: number) =>
    attempt('fetch dead letters', client.url, client.deadLetters({ ...filter, limit: most }))
  if (action === 'list') {
    const page = await find(limit)
    return print(json ? `${toJson(page, 2)}\n` : describe(page))
  }
  const which = all ? 'all' : filter
  if (action === 'redrive') {
    const redriven = await attempt('redrive dead letters', client.url, client.redrive(which))
    return print(json ? `${toJson({ redriven }, 2)}\n` : `Delivered again: ${redriven}\n`)
  }
  if (!yes) {
    if (!process.stdin.isTTY) {
      throw new UsageError('dead-letters purge: there is no terminal to ask on; add --yes')
    }
    const { total } = await find(1)
    const question = `Forget ${counted(total, 'dead letter')}? Nothing delivers them after that. [y/N] `
    if (!(await confirm(question))) throw new CommandError('Nothing was purged')
  }
  const purged = await attempt('purge dead letters', client.url, client.purge(which))
  print(json ? `${toJson({ purged }, 2)}\n` : `Purged: ${purged}\n`)
})

function describe({ deadLetters: found, total }: FunctionDeadLetterPage): string {
  if (found.length === 0) return 'No dead letters.\n'
  const style = styleOf(process.stdout)
  const heading = style.bold(`${counted(total, 'dead letter')}, showing ${found.length}`)
  return `${heading}\n${found.map((one) => summary(one, style)).join('')}`
}

function summary(
  { event, attempts, deadLetteredAt, error, ...one }: FunctionDeadLetter,
  style: Style,
) {
  return [
    `${style.rule() || '\n'}${style.bold(printable(event.id))}\n`,
    field('Function', `${printable(one.function)}, ${counted(attempts, 'attempt')}`, style),
    field('Type', printable(event.type), style),
    field('Gave up', printable(deadLetteredAt), style),
    field('Error', printable(`${error.code}: ${error.message}`), style),
  ].join('')
}
