import { ProcessManagerError } from '../errors.js'

/** The directory of the services cannot be made, read or written. */
export function homeUnusable(root: string, cause: unknown): ProcessManagerError {
  return new ProcessManagerError(
    'HOME_UNUSABLE',
    `Expected a directory of this user, with files of this user alone, at ${root}: ${(cause as Error).message}. Make room or give it to this user, or set NEXUS_HOME to another directory.`,
    { details: { path: root }, cause },
  )
}
