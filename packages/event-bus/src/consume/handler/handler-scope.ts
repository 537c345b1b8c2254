import { AsyncLocalStorage } from 'node:async_hooks'

interface Scope {
  owner: object
  /** False once the handler ended: what it started may go on. */
  running: boolean
}

const scopes = new AsyncLocalStorage<Scope>()

/** Runs a handler so that {@link isInsideHandlerOf} knows what is called from it. */
export async function runInHandlerScope<T>(owner: object, handler: () => T): Promise<Awaited<T>> {
  const scope = { owner, running: true }
  try {
    return await scopes.run(scope, handler)
  } finally {
    scope.running = false
  }
}

/** Runs what must not count as part of a handler, though a handler called it. */
export function leaveHandlerScope<T>(action: () => T): T {
  return scopes.exit(action)
}

/** Whether the caller is a handler of this owner that is still running: waiting for it would never end. */
export function isInsideHandlerOf(owner: object): boolean {
  const scope = scopes.getStore()
  return scope?.running === true && scope.owner === owner
}
