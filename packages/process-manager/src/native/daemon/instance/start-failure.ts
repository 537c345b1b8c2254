import { statSync } from 'node:fs'
import { ProcessManagerError } from '../../../errors.js'
import type { ResolvedDefinition } from '../../../service/service-defaults.js'
import type { Exit } from './service-process.js'

/** What no restart mends: a definition that names what is not there. Null when all is there. */
export function whatIsMissing(definition: ResolvedDefinition, index: number) {
  const { script, cwd } = definition
  const missing = !statSync(script, { throwIfNoEntry: false })?.isFile()
    ? ({ code: 'SCRIPT_NOT_FOUND', reason: `there is no file ${script}` } as const)
    : !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()
      ? ({ code: 'START_FAILED', reason: `there is no directory ${cwd} to start in` } as const)
      : null
  if (missing === null) return null
  const { code, reason } = missing
  const message = `${didNotStart(definition, index)}: ${reason}.`
  return { reason, error: new ProcessManagerError(code, message, { details: { reason } }) }
}

/** A process that ended before it accepted work. */
export function startFailure(
  definition: ResolvedDefinition,
  index: number,
  reason: string,
  { portTaken, triesAgain }: { portTaken: boolean; triesAgain: boolean },
): ProcessManagerError {
  const { port } = definition
  const subject = didNotStart(definition, index)
  const next = triesAgain ? 'It is tried again; stop it if it should not.' : 'It stays down.'
  return portTaken
    ? new ProcessManagerError(
        'PORT_TAKEN',
        `${subject}: port ${port} is in use by another process. ${next} Stop that process or give another port.`,
        { details: { port } },
      )
    : new ProcessManagerError('START_FAILED', `${subject}: ${reason}. ${next} Its log says more.`, {
        details: { reason },
      })
}

export function stoppedEarly(definition: ResolvedDefinition, index: number): ProcessManagerError {
  const message = `${didNotStart(definition, index)}: it was stopped before it was up.`
  return new ProcessManagerError('STOPPED', message)
}

export function describeEnd({ code, signal }: Exit, lastError: string | null): string {
  const how =
    signal !== null
      ? `was ended by ${signal}`
      : code !== null
        ? `ended with code ${code}`
        : 'ended while no daemon watched it'
  return lastError === null ? how : `${how}: ${lastError}`
}

function didNotStart({ name, instances }: ResolvedDefinition, index: number) {
  return `Service "${name}"${instances === 1 ? '' : ` (instance ${index})`} did not start`
}
