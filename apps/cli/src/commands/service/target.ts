import { serviceNamePattern } from '@nexus/process-manager/status'
import { UsageError } from '../../command-line/usage-error.js'
import type { EngineKind } from './command.js'

/** The name that means every service. */
export const everyService = 'all'

/** Which services of which engine a command is about, and how it prints them. */
export interface Target {
  kind: EngineKind
  names: readonly string[]
  json: boolean
}

/** @throws UsageError for a name that no service can have */
export function targetOf({
  values: { engine, json },
  operands,
}: {
  values: { engine: EngineKind; json: boolean }
  operands: readonly string[]
}): Target {
  // PM2 lets services have other names too.
  if (engine === 'native') for (const name of operands) checkName(name)
  return { kind: engine, names: [...new Set(operands)], json }
}

function checkName(name: string): void {
  if (serviceNamePattern.test(name)) return
  throw new UsageError(
    `expected the name of a service to be 1 to 64 letters, digits, ".", "_" and "-", beginning with a letter or a digit, got "${name}"`,
  )
}
