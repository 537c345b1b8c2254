import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { ImportRefusal } from '../import-refusal.js'

/** A pipe must not hold up the process, a terminal must not become its terminal, and a link must not be followed. */
const OPEN_FLAGS =
  constants.O_RDONLY |
  (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NOCTTY ?? 0)

/** Bytes asked for at a time; a file that says it is empty, as in /proc, is never read further than its size. */
const CHUNK_BYTES = 1024 * 1024

/**
 * Read a regular file whole.
 *
 * @param realPath absolute path without symbolic links
 * @param maxBytes longest content, in bytes
 * @param accept told the size of the content before it is read; what it throws is thrown
 * @throws ImportRefusal `not-a-file`, `link` when another file took its place meanwhile, `file-size`
 */
export function readRegularFile(
  realPath: string,
  maxBytes: number,
  accept?: (bytes: number) => void,
): Buffer {
  const file = openNoFollow(realPath)
  try {
    const { size } = assertRegular(file)
    assertPlace(file, realPath)
    if (size > maxBytes) {
      throw new ImportRefusal('file-size', `expected at most ${maxBytes} bytes, got ${size}`)
    }
    accept?.(size)
    return readUpTo(file, size)
  } finally {
    closeSync(file)
  }
}

function openNoFollow(path: string): number {
  try {
    return openSync(path, OPEN_FLAGS)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'EMLINK') throw new ImportRefusal('link')
    if (code === 'ENXIO' || code === 'ENODEV') throw new ImportRefusal('not-a-file')
    throw error
  }
}

function assertRegular(file: number): { size: number } {
  const stat = fstatSync(file)
  if (!stat.isFile()) throw new ImportRefusal('not-a-file')
  return stat
}

/** A directory above it may have become a link between the look and the opening: the system knows what was opened. */
function assertPlace(file: number, realPath: string): void {
  if (process.platform !== 'linux') return
  let opened: string
  try {
    opened = readlinkSync(`/proc/self/fd/${file}`)
  } catch {
    return // no /proc here
  }
  if (opened !== realPath) throw new ImportRefusal('link')
}

function readUpTo(file: number, size: number): Buffer {
  const content = Buffer.allocUnsafeSlow(size)
  let length = 0
  while (length < size) {
    const read = readSync(file, content, length, Math.min(CHUNK_BYTES, size - length), length)
    if (read === 0) break
    length += read
  }
  return content.subarray(0, length)
}
