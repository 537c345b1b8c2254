import { printNow } from '../print-now.js'
import { printable, toJson } from '../terminal.js'
import { parseServiceArguments } from './arguments.js'
import { withEngine } from './engine.js'

/** `nexus service save` */
export async function save(args: readonly string[]): Promise<void> {
  const { engine: kind, json } = parseServiceArguments(args, {}, 0)
  const saved = await withEngine(kind, (engine) => engine.save())
  if (json) return printNow(`${toJson({ saved })}\n`)
  printNow(
    `Saved ${saved} ${saved === 1 ? 'service' : 'services'}; to start them again: nexus service resurrect\n`,
  )
}

/** `nexus service resurrect` */
export async function resurrect(args: readonly string[]): Promise<void> {
  const { engine: kind, json } = parseServiceArguments(args, {}, 0)
  const started = await withEngine(kind, (engine) => engine.resurrect())
  if (json) return printNow(`${toJson({ started })}\n`)
  printNow(
    started.length === 0 ? 'Nothing to start\n' : `Started ${printable(started.join(', '))}\n`,
  )
}
