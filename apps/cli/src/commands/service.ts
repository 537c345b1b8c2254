import { UsageError } from '../arguments.js'
import { serviceHelp } from '../help.js'
import { printNow } from '../print-now.js'

type Command = (args: readonly string[]) => Promise<void>

const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('../service/start.js')).start,
  stop: async () => (await import('../service/change.js')).stop,
  restart: async () => (await import('../service/change.js')).restart,
  delete: async () => (await import('../service/change.js')).remove,
  status: async () => (await import('../service/status.js')).status,
  list: async () => (await import('../service/status.js')).list,
  metrics: async () => (await import('../service/status.js')).metrics,
  health: async () => (await import('../service/health.js')).health,
  logs: async () => (await import('../service/logs.js')).logs,
  save: async () => (await import('../service/save.js')).save,
  resurrect: async () => (await import('../service/save.js')).resurrect,
}

/** `nexus service …` */
export async function service([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined || name === 'help') return printNow(serviceHelp)
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) throw new UsageError(`unknown command "service ${name}"`, 'service ')
  const command = await load()
  try {
    await command(args)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message, 'service ')
    throw error
  }
}
