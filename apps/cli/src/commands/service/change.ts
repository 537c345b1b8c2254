import type { ProcessEngine } from '@nexus/process-manager'
import { type Invocation, runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { printNow } from '../../terminal/print-now.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { forgetShared, withEngine } from './engine/engine.js'
import { forEach, select } from './outcome.js'
import { targetOf } from './target.js'

const { stop, restart, reload, scale, delete: remove } = service.commands

/** `nexus service stop` */
export const runStop = runs(stop, (invocation) =>
  change(invocation, (engine, name) => engine.stop(name)),
)

/** `nexus service restart` */
export const runRestart = runs(restart, (invocation) =>
  change(invocation, (engine, name) => engine.restart(name)),
)

/** `nexus service reload` */
export const runReload = runs(reload, (invocation) =>
  change(invocation, (engine, name) => engine.reload(name)),
)

/** `nexus service scale` */
export const runScale = runs(scale, async ({ values, operands: [name = '', number = ''] }) => {
  const instances = Number(number)
  if (!/^\d+$/.test(number) || instances < 1 || instances > 256) {
    throw new UsageError(`expected a number of processes from 1 to 256, got "${number}"`)
  }
  const invocation = { values, operands: [name] }
  await change(invocation, (engine, each) => engine.scale(each, instances))
})

/** `nexus service delete` */
export const runDelete = runs(remove, (invocation) =>
  change(invocation, async (engine, name) => {
    await engine.delete(name)
    return { name, state: 'deleted' }
  }),
)

async function change(
  invocation: Pick<Invocation<typeof stop.options>, 'values' | 'operands'>,
  command: (engine: ProcessEngine, name: string) => Promise<{ name: string; state: string }>,
): Promise<void> {
  const { kind, names, json } = targetOf(invocation)
  await withEngine(kind, async (engine) => {
    // Asked of the engine rather than of its cached status: a service that was started this moment counts.
    const services = select(await engine.list(), names)
    const changed = await forEach(services, (name) => command(engine, name))
    await forgetShared(kind)
    if (json) return printNow(`${toJson(changed, 2)}\n`)
    printNow(
      changed.map(({ name, state }) => `${printable(name)} is ${printable(state)}\n`).join(''),
    )
  })
}
