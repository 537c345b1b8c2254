import type { ProcessEngine } from '@nexus/process-manager'
import { type Invocation, runs } from '../../command-line/parse.js'
import { printNow } from '../../terminal/print-now.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { withEngine } from './engine.js'
import { forEach, select } from './outcome.js'
import { targetOf } from './target.js'

const { stop, restart, delete: remove } = service.commands

/** `nexus service stop` */
export const runStop = runs(stop, (invocation) =>
  change(invocation, (engine, name) => engine.stop(name)),
)

/** `nexus service restart` */
export const runRestart = runs(restart, (invocation) =>
  change(invocation, (engine, name) => engine.restart(name)),
)

/** `nexus service delete` */
export const runDelete = runs(remove, (invocation) =>
  change(invocation, async (engine, name) => {
    await engine.delete(name)
    return { name, state: 'deleted' }
  }),
)

async function change(
  invocation: Invocation<typeof stop.options>,
  command: (engine: ProcessEngine, name: string) => Promise<{ name: string; state: string }>,
): Promise<void> {
  const { kind, names, json } = targetOf(invocation)
  await withEngine(kind, async (engine) => {
    // Asked of the engine rather than of its cached status: a service that was started this moment counts.
    const services = select(await engine.list(), names)
    const changed = await forEach(services, (name) => command(engine, name))
    if (json) return printNow(`${toJson(changed, 2)}\n`)
    printNow(
      changed.map(({ name, state }) => `${printable(name)} is ${printable(state)}\n`).join(''),
    )
  })
}
