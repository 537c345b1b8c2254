import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync } from 'node:fs'
import type { DiskFileSystem } from './disk-file-system.js'
import { Sealer } from './seal.js'

/**
 * Files up to this size are read on the calling thread: from the page cache that takes about 10 µs, where a
 * promise for it takes the same thread five times as long and the caller ten to thirty times.
 */
const READ_NOW_BYTES = 256 * 1024

/** Another program may put a pipe, a link or a terminal there: none of them may hold up this process. */
const OPEN_FLAGS =
  constants.O_RDONLY |
  (constants.O_NONBLOCK ?? 0) |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NOCTTY ?? 0)

/** Owner only: what handlers were made of is in these files. */
export const PRIVATE_FILE_MODE = 0o600

/** Errors of the system that mean: there is something, and it is no file. */
const NOT_A_FILE = new Set(['ELOOP', 'EMLINK', 'ENXIO', 'ENODEV', 'EISDIR', 'EOPNOTSUPP'])

/** What lies at the path of a cache file is not one that this cache wrote. */
export class NotACacheFile extends Error {
  override readonly name = 'NotACacheFile'
}

interface FileStat {
  isFile(): boolean
  size: number
  mode: number
  mtimeMs: number
}

/**
 * Start to read a sealed file. Nothing of it is read before its kind and its size are known: it must be a regular file,
 * no longer than `maxBytes`, and as long as its own header says.
 *
 * @param use told about the open file and its time of last use
 * @returns the content of a small file, the size of a larger one
 * @throws NotACacheFile, or an error of the system
 */
export function readCacheFileNow(
  path: string,
  maxBytes: number,
  use: (file: number, mtimeMs: number) => void,
): Buffer | number {
  const file = openNow(path)
  try {
    const stat = fstatSync(file)
    assertReadable(stat, maxBytes)
    const header = Buffer.allocUnsafeSlow(Sealer.headerBytes)
    readSync(file, header, 0, header.length, 0)
    if (Sealer.lengthOf(header) !== stat.size) throw new NotACacheFile('its length is wrong')
    makePrivate(file, stat.mode)
    use(file, stat.mtimeMs)
    if (stat.size > READ_NOW_BYTES) return stat.size
    const content = Buffer.allocUnsafeSlow(stat.size)
    return content.subarray(0, readSync(file, content, 0, stat.size, 0))
  } finally {
    closeSync(file)
  }
}

/**
 * Read a file of a known size, not a byte more.
 *
 * @throws NotACacheFile, or an error of the system
 */
export async function readCacheFile(
  fs: DiskFileSystem,
  path: string,
  size: number,
): Promise<Buffer> {
  const file = await fs.open(path, OPEN_FLAGS).catch((error: unknown) => {
    throw translate(error)
  })
  try {
    assertReadable(await file.stat(), size)
    const content = Buffer.allocUnsafeSlow(size)
    let length = 0
    while (length < size) {
      const { bytesRead } = await file.read(content, length, size - length, length)
      if (bytesRead === 0) throw new NotACacheFile('it became shorter')
      length += bytesRead
    }
    return content
  } finally {
    await file.close()
  }
}

function openNow(path: string): number {
  try {
    return openSync(path, OPEN_FLAGS)
  } catch (error) {
    throw translate(error)
  }
}

function translate(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  return NOT_A_FILE.has(code) ? new NotACacheFile(code) : error
}

function assertReadable(stat: FileStat, maxBytes: number): void {
  if (!stat.isFile()) throw new NotACacheFile('it is not a regular file')
  if (stat.size < Sealer.headerBytes) throw new NotACacheFile('it is too short')
  if (stat.size > maxBytes) throw new NotACacheFile('it is too long')
}

function makePrivate(file: number, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  try {
    fchmodSync(file, PRIVATE_FILE_MODE)
  } catch {
    // Not our file: the seal decides whether it is loaded.
  }
}
