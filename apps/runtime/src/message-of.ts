import { describeThrown } from '@nexus/diagnostics'

/** Their message says all; of any other error the stack is needed. */
const EXPECTED = new Set(['RuntimeError', 'FunctionsError', 'ServerError'])

/** What an operator is told of an error. */
export function messageOf(error: unknown): string {
  const { name = '', message, stack } = describeThrown(error)
  return EXPECTED.has(name) ? message : (stack ?? message)
}
