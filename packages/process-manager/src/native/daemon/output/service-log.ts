import {
  closeSync,
  fstatSync,
  ftruncateSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { formatLogLine } from '../../../service/log-line.js'
import { openLog } from '../../files/regular-file.js'
import type { Warnings } from '../state/warnings.js'

/** How far the logs of a service may grow. */
export interface LogLimits {
  maxBytes: number
  /** Old files, in addition to the one that is written. */
  maxOldFiles: number
}

/** Bytes that the logs of a service hold at most: what is older is removed as the files rotate. */
export function keptBytes({ maxBytes, maxOldFiles }: LogLimits): number {
  return maxBytes * (maxOldFiles + 1)
}

/** What was printed by which instance, as it goes to the log. */
export interface PrintedLines {
  lines: readonly string[]
  instance: number
  stream: 'stdout' | 'stderr'
  /** Milliseconds since the epoch. */
  time: number
}

/** Where in which file an addition to the log begins and ends: tells later whether it was written. */
export interface LogPlace {
  /** The file's inode, which it keeps when it is set aside. */
  file: number
  begin: number
  end: number
}

const REMEMBERED_LINES = 50

/** Writes what the instances of a service print: a line each with its time, into files that rotate. */
export class ServiceLog {
  /** The last lines of each instance's stderr, for the reason of its end. */
  readonly #errors = new Map<number, string[]>()

  constructor(
    readonly file: string,
    private readonly limits: LogLimits,
    private readonly warnings: Warnings,
  ) {}

  get keptBytes(): number {
    return keptBytes(this.limits)
  }

  /**
   * Answers whether the lines are in the log; where they are not, none of them is.
   *
   * @param announce called with the place where they will be, before they are written
   */
  append(printed: PrintedLines, announce: (place: LogPlace) => void): boolean {
    const { lines, instance, stream, time } = printed
    const text = lines.map((line) => formatLogLine({ time, instance, stream, text: line })).join('')
    const written = this.warnings.attempt('write logs', () =>
      this.#write(Buffer.from(text), announce),
    )
    if (written && stream === 'stderr') {
      const errors = [...(this.#errors.get(instance) ?? []), ...lines.slice(-REMEMBERED_LINES)]
      this.#errors.set(instance, errors.slice(-REMEMBERED_LINES))
    }
    return written
  }

  /** Whether an addition that was announced there was written; what is only begun is taken back. */
  has({ file, begin, end }: LogPlace): boolean {
    for (let n = 0; n <= this.limits.maxOldFiles; n++) {
      const found = statSync(this.#numbered(n), { throwIfNoEntry: false })
      if (found?.ino !== file) continue
      if (found.size >= end) return true
      if (found.size > begin) truncateSync(this.#numbered(n), begin)
      return false
    }
    // It was removed since, or rotated away.
    return true
  }

  /** Forgets what an instance said before, as it starts again. */
  forgetErrors(instance: number): void {
    this.#errors.delete(instance)
  }

  /** What an instance said as it died: the error it ended with, or its last line on stderr. */
  lastError(instance: number): string | null {
    const lines = (this.#errors.get(instance) ?? []).filter(
      (line) => line.trim() !== '' && !/^Node\.js v\d/.test(line),
    )
    const found = lines.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b/.test(line))
    return (found ?? lines.at(-1) ?? null)?.slice(0, 500) ?? null
  }

  delete(): void {
    for (let n = 0; n <= this.limits.maxOldFiles; n++) rmSync(this.#numbered(n), { force: true })
  }

  // The file is opened for each write, so that one that was moved or removed is simply begun again.
  #write(bytes: Buffer, announce: (place: LogPlace) => void) {
    let fd = openLog(this.file)
    try {
      let { size, ino } = fstatSync(fd)
      if (size > 0 && size + bytes.length > this.limits.maxBytes) {
        closeSync(fd)
        this.#rotate()
        fd = openLog(this.file)
        ;({ size, ino } = fstatSync(fd))
      }
      announce({ file: ino, begin: size, end: size + bytes.length })
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      } catch (error) {
        if (fstatSync(fd).size > size) ftruncateSync(fd, size)
        throw error
      }
    } finally {
      closeSync(fd)
    }
  }

  #rotate() {
    rmSync(this.#numbered(this.limits.maxOldFiles), { force: true })
    for (let n = this.limits.maxOldFiles - 1; n >= 0; n--) {
      try {
        renameSync(this.#numbered(n), this.#numbered(n + 1))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }

  #numbered(n: number) {
    return n === 0 ? this.file : `${this.file}.${n}`
  }
}
