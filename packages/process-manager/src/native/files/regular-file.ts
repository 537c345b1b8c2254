import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** To open a pipe would wait for its other end. */
const NO_WAIT = constants.O_NONBLOCK ?? 0

/** To write at the end of a file, which is made where it is missing. */
export const APPEND: number = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT

/** More than this package ever writes into one file. */
const MAX_BYTES = 64 * 2 ** 20

/**
 * The text of a file that may have been damaged or replaced: a pipe does not hold the reader up, and a file that is too large is
 * not read.
 *
 * @throws Error of the system, or for what is no regular file of at most `maxBytes`
 */
export function readRegularFile(path: string, maxBytes: number = MAX_BYTES): string {
  const fd = openRegularFile(path)
  try {
    const { size } = fstatSync(fd)
    if (size > maxBytes) throw new Error(`expected at most ${maxBytes} bytes, got ${size}`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/**
 * Opens a file to read, or with `flags` for something else.
 *
 * @throws Error of the system, or for what is no regular file
 */
export function openRegularFile(path: string, flags: number = constants.O_RDONLY): number {
  const fd = openSync(path, flags | NO_WAIT, 0o600)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new Error(`expected a regular file at ${path}`)
}

/** Opens a log to write at its end; it may be a device. */
export function openLog(path: string, flags: number = APPEND): number {
  return openSync(path, flags | NO_WAIT, 0o600)
}
