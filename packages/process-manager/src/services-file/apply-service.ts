import { describeThrown } from '@nexus/diagnostics'
import type { ProcessEngine } from '../process-engine.js'
import type { ServiceDefinition, ServiceStatus } from '../service/service.js'

/** What became of a service that was to be as it is defined. */
export interface AppliedService {
  /** Name of the service. */
  name: string
  /** `unchanged` where it ran already as it is defined; `replaced` where it ran otherwise. */
  outcome: 'unchanged' | 'started' | 'replaced'
  /** As it is now. */
  status: ServiceStatus
}

/**
 * Sees to it that a service runs as it is defined: starts it, leaves it alone, or stops it and starts it again.
 *
 * @throws ProcessManagerError what a start or a stop of the engine rejects with
 */
export async function applyService(
  engine: ProcessEngine,
  definition: ServiceDefinition,
): Promise<AppliedService> {
  const { name } = definition
  const before = pidsOf((await engine.list()).find((service) => service.name === name))
  try {
    const status = await engine.start(definition)
    const same = before !== '' && before === pidsOf(status)
    return { name, outcome: same ? 'unchanged' : 'started', status }
  } catch (error) {
    // Not by its class: an engine of another entry point of this package has a class of its own.
    if (describeThrown(error).code !== 'ALREADY_RUNNING') throw error
    await engine.stop(name)
    return { name, outcome: 'replaced', status: await engine.start(definition) }
  }
}

function pidsOf(status: ServiceStatus | undefined): string {
  return (status?.instances ?? []).flatMap(({ pid }) => pid ?? []).join()
}
