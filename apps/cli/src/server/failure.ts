import { NexusClientError } from '@nexus/client'
import { describeThrown } from '@nexus/diagnostics'
import { indentRest, printableLines, styleOf } from '../terminal/terminal.js'

/** A command that failed, with what it was doing and what its user can do, if anything. */
export class CommandError extends Error {
  override readonly name = 'CommandError'

  constructor(
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Runs a request; its failure says what it was for (`fetch events`) and what to try. */
export async function attempt<T>(
  action: string,
  url: string,
  request: Promise<T>,
  hints: Record<number, string> = {},
): Promise<T> {
  try {
    return await request
  } catch (cause) {
    if (!(cause instanceof NexusClientError)) throw cause
    const { message, hint } = explain(cause, action, url, hints)
    throw new CommandError(message, hint, { cause })
  }
}

/** What goes to stderr: the failure, then the hint. */
export function describeFailure(error: unknown): string {
  const style = styleOf(process.stderr)
  if (error instanceof CommandError) {
    // Indented, a line that a server chose does not look like one of the command.
    const [message = '', hint] = [error.message, error.hint].map((text) =>
      text === undefined ? undefined : indentRest(printableLines(text), 2),
    )
    return `${style.bad(message)}\n${hint === undefined ? '' : `${style.dim(hint)}\n`}`
  }
  const { name, message, stack } = describeThrown(error)
  if (OURS.has(name)) return `${printableLines(message)}\n`
  // A defect of ours: the stack is what a report needs.
  return `nexus: ${printableLines(stack ?? message)}\n`
}

/** By name: loading the packages to ask for their classes would cost every command its start-up time. */
const OURS: ReadonlySet<string | undefined> = new Set(['RuntimeError', 'ProcessManagerError'])

function explain(
  error: NexusClientError,
  action: string,
  url: string,
  hints: Record<number, string>,
): { message: string; hint: string } {
  const running = `Make sure the server is running on ${url}`
  if (error.code !== 'HTTP_ERROR') {
    return { message: `Failed to ${action}: ${error.message}`, hint: running }
  }
  const { status = 0, statusText = '', serverMessage } = error
  const known =
    hints[status] ?? (status === 401 ? 'Set NEXUS_TOKEN to the token of the server' : undefined)
  return {
    message: `Server returned status: ${status} ${statusText}`.trimEnd(),
    hint: known ?? serverMessage ?? `${running}, and that it is a Nexus server`,
  }
}
