import type { ProcessEngine } from '@nexus/process-manager'
import { UsageError } from '../arguments.js'
import { printNow } from '../print-now.js'
import { printable, toJson } from '../terminal.js'
import { parseServiceArguments } from './arguments.js'
import { withEngine } from './engine.js'
import { forEach, select } from './outcome.js'

/** `nexus service stop` */
export function stop(args: readonly string[]): Promise<void> {
  return change(args, (engine, name) => engine.stop(name))
}

/** `nexus service restart` */
export function restart(args: readonly string[]): Promise<void> {
  return change(args, (engine, name) => engine.restart(name))
}

/** `nexus service delete` */
export function remove(args: readonly string[]): Promise<void> {
  return change(args, async (engine, name) => {
    await engine.delete(name)
    return { name, state: 'deleted' }
  })
}

async function change(
  args: readonly string[],
  command: (engine: ProcessEngine, name: string) => Promise<{ name: string; state: string }>,
): Promise<void> {
  const { names, engine: kind, json } = parseServiceArguments(args, {})
  if (names.length === 0) throw new UsageError('expected the names of services, or all')
  await withEngine(kind, async (engine) => {
    // Asked of the engine rather than of its cached status: a service that was started this moment counts.
    const services = select(await engine.list(), names)
    const changed = await forEach(services, (name) => command(engine, name))
    if (json) return printNow(`${toJson(changed, 2)}\n`)
    printNow(changed.map(({ name, state }) => `${printable(name)} is ${state}\n`).join(''))
  })
}
