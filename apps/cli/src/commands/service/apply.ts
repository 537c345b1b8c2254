import { resolve } from 'node:path'
import { runs } from '../../command-line/parse.js'
import { printNow } from '../../terminal/print-now.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { forgetShared, withEngine } from './engine/engine.js'
import { forEach } from './outcome.js'

/** `nexus service apply`: may be given again and again; what runs as the file says is left alone. */
export const runApply = runs(service.commands.apply, async ({ values, operands: [file = ''] }) => {
  const { applyService, readServicesFile } = await import('@nexus/process-manager')
  const definitions = new Map(
    (await readServicesFile(resolve(file))).map((definition) => [definition.name, definition]),
  )
  await withEngine(values.engine, async (engine) => {
    const applied = await forEach([...definitions.values()], (name) =>
      applyService(engine, definitions.get(name)!),
    )
    await forgetShared(values.engine)
    if (values.json) return printNow(`${toJson(applied, 2)}\n`)
    printNow(
      applied
        .map(
          ({ name, outcome, status }) =>
            `${printable(name)} ${outcome}, is ${printable(status.state)}\n`,
        )
        .join(''),
    )
  })
})
