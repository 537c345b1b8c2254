import { closeSync, fstatSync, readSync } from 'node:fs'
import { openRegularFile } from '../files/regular-file.js'

const CHUNK_BYTES = 65_536
const NEWLINE = 0x0a
/** The daemon breaks lines at 65,536 characters: what goes on without an end is none of its lines. */
const MAX_LINE_BYTES = 4 * 65_536 + 128
const MAX_READ_BYTES = 256 * 2 ** 20

/**
 * The last lines of a log, reading no more than they take; the older files `.1`, `.2`, … are read on when it has not as
 * many.
 *
 * @param current the file that is written, opened, up to the size that counts; null where there is none
 */
export function lastLines(
  file: string,
  current: { fd: number; size: number } | null,
  count: number,
): string[] {
  let lines = current === null ? [] : tail(current.fd, current.size, count)
  // When the log is set aside meanwhile, each file goes on to the next name: one that was read is met again there.
  const read = new Set(current === null ? [] : [fstatSync(current.fd).ino])
  for (let n = 1; lines.length < count; n++) {
    const fd = openIfPresent(`${file}.${n}`)
    if (fd === null) break
    try {
      const { ino, size } = fstatSync(fd)
      if (!read.has(ino)) lines = [...tail(fd, size, count - lines.length), ...lines]
      read.add(ino)
    } finally {
      closeSync(fd)
    }
  }
  return lines
}

function tail(fd: number, size: number, count: number): string[] {
  const chunks: Buffer[] = []
  let newlines = 0
  const start = Math.max(0, size - Math.min((count + 1) * MAX_LINE_BYTES, MAX_READ_BYTES))
  // One more than the lines, for the end of the line before them.
  for (let at = size; at > start && newlines <= count; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, at - start))
    at -= chunk.length
    readSync(fd, chunk, 0, chunk.length, at)
    for (const byte of chunk) if (byte === NEWLINE) newlines++
    chunks.unshift(chunk)
  }
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  return count === 0 ? [] : lines.slice(-count)
}

/** Null where there is no such file. */
export function openIfPresent(file: string): number | null {
  try {
    return openRegularFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
