import { isUtf8 } from 'node:buffer'
import { Errno } from '../preview1/signatures.js'
import { FileError } from './file-error.js'

const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 4096

export interface ResolvedPath {
  /** Absolute, without `.` and `..`; '' is the root. */
  readonly path: string
  /** Whether it ends in a slash, and so can only name a directory. */
  readonly namesDirectory: boolean
}

/**
 * The path that a command means, below the directory it starts from.
 *
 * @throws FileError when it is not text, too long, absolute, or leads out of the directory
 */
export function resolvePath(directory: string, given: Buffer): ResolvedPath {
  if (given.length > MAX_PATH_BYTES) throw new FileError(Errno.Nametoolong)
  if (!isUtf8(given) || given.includes(0)) throw new FileError(Errno.Ilseq)
  const text = given.toString('utf8')
  if (text === '') throw new FileError(Errno.Noent)
  if (text.startsWith('/')) throw new FileError(Errno.Notcapable)
  const names: string[] = []
  for (const name of text.split('/')) {
    if (name === '' || name === '.') continue
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new FileError(Errno.Nametoolong)
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) throw new FileError(Errno.Notcapable)
  }
  return {
    path: [directory, ...names].join('/'),
    namesDirectory: /(^|\/)\.{0,2}$/.test(text),
  }
}

/** The directory that holds a path; '' is the root. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
