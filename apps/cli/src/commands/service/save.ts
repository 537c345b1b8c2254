import { runs } from '../../command-line/parse.js'
import { counted } from '../../terminal/counted.js'
import { printNow } from '../../terminal/print-now.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { withEngine } from './engine/engine.js'

/** `nexus service save` */
export const runSave = runs(service.commands.save, async ({ values: { engine: kind, json } }) => {
  const saved = await withEngine(kind, (engine) => engine.save())
  if (json) return printNow(`${toJson({ saved })}\n`)
  printNow(`Saved ${counted(saved, 'service')}; to start them again: nexus service resurrect\n`)
})

/** `nexus service resurrect` */
export const runResurrect = runs(
  service.commands.resurrect,
  async ({ values: { engine: kind, json } }) => {
    const started = await withEngine(kind, (engine) => engine.resurrect())
    if (json) return printNow(`${toJson({ started })}\n`)
    printNow(
      started.length === 0 ? 'Nothing to start\n' : `Started ${printable(started.join(', '))}\n`,
    )
  },
)
