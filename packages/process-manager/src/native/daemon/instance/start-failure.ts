import { statSync } from 'node:fs'
import { ProcessManagerError } from '../../../errors.js'
import type { ResolvedDefinition } from '../../../service/service-defaults.js'
import { whyNoTypeScript } from '../../../warm-pool/type-script.js'
import type { Exit } from './service-process.js'

/** What no restart mends: a definition that names what is not there. Null when all is there. */
export function whatIsMissing(definition: ResolvedDefinition, index: number) {
  const { script, cwd } = definition
  const noTypeScript = whyNoTypeScript(script)
  const missing = !statSync(script, { throwIfNoEntry: false })?.isFile()
    ? ({ code: 'SCRIPT_NOT_FOUND', reason: `there is no file ${script}` } as const)
    : !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()
      ? ({ code: 'START_FAILED', reason: `there is no directory ${cwd} to start in` } as const)
      : noTypeScript === null
        ? null
        : ({ code: 'START_FAILED', reason: noTypeScript } as const)
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

/** Why another process cannot listen on the port beside the one that does. */
export function noSocket(
  { name, port }: ResolvedDefinition,
  why: 'adopted' | 'elsewhere',
): ProcessManagerError {
  const reason =
    why === 'adopted'
      ? 'its process was started by a daemon that has ended'
      : `no server of its process itself listens on port ${port}`
  return new ProcessManagerError(
    'NOT_SUPPORTED',
    `Service "${name}" cannot share its port with another process: ${reason}. Restart it instead; from then on it can, if it listens itself.`,
    { details: { name, port, reason } },
  )
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
