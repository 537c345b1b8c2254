import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { homeUnusable } from '../home-unusable.js'
import type { NativePaths } from '../paths.js'

type HomePaths = Pick<NativePaths, 'root' | 'logs'>

/** What is not of this user alone. */
const OTHERS = 0o077
const userId = process.getuid?.()

/**
 * Makes the daemon's directory where it is missing, and sees to it that this user alone has access. A file of another user in it
 * would be taken for what the daemon wrote: where there is one, the directory is refused and stays as it is.
 *
 * @throws ProcessManagerError `HOME_UNUSABLE`
 */
export function takePrivateHome(paths: HomePaths): void {
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw homeUnusable(paths.root, cause)
  }
  if (userId === undefined) return
  assertOwn(paths.root)
  const { mode } = statSync(paths.root)
  if ((mode & OTHERS) === 0) return
  chmodSync(paths.root, 0o700)
  try {
    for (const directory of [paths.root, paths.logs]) {
      for (const entry of entriesOf(directory)) assertOwn(join(directory, entry))
    }
  } catch (error) {
    // The next one to look must find it as it was, or it would take it for private all along.
    chmodSync(paths.root, mode)
    throw error
  }
}

/** Whether the directory is there and of this user alone, so that what is in it was written by this user. */
export function isPrivateHome({ root }: Pick<NativePaths, 'root'>): boolean {
  if (userId === undefined) return true
  try {
    const { uid, mode } = statSync(root)
    return uid === userId && (mode & OTHERS) === 0 && lstatSync(root).uid === userId
  } catch {
    return false
  }
}

/** A link counts as well as what it leads to. */
function assertOwn(path: string) {
  for (const look of [lstatSync, statSync]) {
    const owner = look(path, { throwIfNoEntry: false })?.uid
    if (owner !== undefined && owner !== userId) {
      throw homeUnusable(path, new Error(`it belongs to the user with id ${owner}`))
    }
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw homeUnusable(directory, error)
  }
}
