/// <reference path="./fs-native-extensions.d.ts" />
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tryLock } from 'fs-native-extensions'
import { openRegularFile, readRegularFile } from '../native/files/regular-file.js'

// Windows lets no other process read bytes that are locked, so there a byte behind the note is. macOS locks whole
// files only.
const [lockOffset, lockLength] = process.platform === 'win32' ? [4096, 1] : [0, 0]

/** A note is a line. */
const MAX_NOTE_BYTES = 64 * 1024

/** Others may write in the directory: a link there would have the note written into what it leads to. */
const LOCK_FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)

/** Windows answers one of these for a file that is being deleted or locked just now. */
const busyCodes = new Set(['EBUSY', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])])

/**
 * A file whose lock the kernel keeps for this descriptor. It goes with the descriptor, so also with the
 * process, however that ends: what a dead process leaves behind is a file, never a lock.
 */
export class LockFile {
  readonly #path: string
  readonly #descriptor: number

  private constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
  }

  /** Creates the file where it is missing and takes its lock; undefined while another has it. */
  static tryAcquire(path: string): LockFile | undefined {
    for (;;) {
      const descriptor = open(path)
      if (descriptor === undefined) return undefined
      try {
        if (!lock(descriptor)) {
          closeSync(descriptor)
          return undefined
        }
        // Another process may have removed the file between the opening and the locking: a lock on a file that
        // no other process can find keeps no process out.
        if (isFile(path, descriptor)) return new LockFile(path, descriptor)
      } catch (error) {
        closeSync(descriptor)
        throw error
      }
      closeSync(descriptor)
    }
  }

  /** What the holder wrote, or the last one before it; empty where there is nothing. */
  static readNote(path: string): string {
    try {
      return readRegularFile(path, MAX_NOTE_BYTES)
    } catch {
      return ''
    }
  }

  writeNote(text: string): void {
    try {
      // The file is not append-only: written at its beginning, and cut behind a shorter note.
      ftruncateSync(this.#descriptor, writeSync(this.#descriptor, text, 0))
    } catch {
      // It is for people to read. On a full disk the lock is as good without it.
    }
  }

  release(): void {
    closeSync(this.#descriptor)
  }

  /** Releases the lock and removes the file; a process that waits for it notices and creates the file again. */
  remove(): void {
    try {
      unlinkSync(this.#path)
    } finally {
      closeSync(this.#descriptor)
    }
  }
}

function open(path: string): number | undefined {
  try {
    return openRegularFile(path, LOCK_FLAGS)
  } catch (error) {
    if (isBusy(error)) return undefined
    throw error
  }
}

function lock(descriptor: number): boolean {
  try {
    return tryLock(descriptor, lockOffset, lockLength)
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function isBusy(error: unknown): boolean {
  return busyCodes.has((error as NodeJS.ErrnoException).code ?? '')
}

function isFile(path: string, descriptor: number): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  const held = fstatSync(descriptor, { bigint: true })
  if (held.nlink > 1n) throw new Error(`${path} is a hard link of another file`)
  return found?.ino === held.ino && found.dev === held.dev
}
