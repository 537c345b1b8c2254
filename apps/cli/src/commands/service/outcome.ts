import type { ServiceStatus } from '@nexus/process-manager'
import { printError } from '../../terminal/output.js'
import { printable } from '../../terminal/terminal.js'
import { everyService } from './target.js'

/** Something that was asked about does not run, or is not healthy. */
export const notRunningCode = 3
/** There is no service of a name. */
export const notFoundCode = 4

/** The services that names mean; each name without one is a failure of its own. */
export function select(
  services: readonly ServiceStatus[],
  names: readonly string[],
): readonly ServiceStatus[] {
  if (names.length === 0 || names.includes(everyService)) return services
  return names.flatMap((name) => {
    const found = services.find((service) => service.name === name)
    if (!found) reportMissing(name)
    return found ? [found] : []
  })
}

/** Runs a command for each service at once; says which failed, and returns the results of the others. */
export async function forEach<T>(
  services: readonly { name: string }[],
  command: (name: string) => Promise<T>,
): Promise<T[]> {
  const outcomes = await Promise.allSettled(services.map(({ name }) => command(name)))
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') await reportFailure(outcome.reason)
  }
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

function reportMissing(name: string): void {
  printError(`There is no service "${printable(name)}"; see: nexus service list\n`)
  process.exitCode ??= notFoundCode
}

async function reportFailure(error: unknown): Promise<void> {
  const { describeFailure } = await import('../../server/failure.js')
  printError(describeFailure(error))
  process.exitCode = 1
}
