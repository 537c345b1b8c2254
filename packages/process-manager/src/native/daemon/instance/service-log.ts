import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { formatLogLine } from '../../../service/log-line.js'
import type { Warnings } from '../state/warnings.js'

/** How far the logs of a service may grow. */
export interface LogLimits {
  maxBytes: number
  /** Old files, in addition to the one that is written. */
  maxOldFiles: number
}

/** A line without an end is broken here. */
const MAX_LINE_CHARACTERS = 65_536
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

  /** Writes a stream down until it ends. */
  follow(readable: Readable, instance: number, stream: 'stdout' | 'stderr'): void {
    const decoder = new StringDecoder()
    let rest = ''
    const take = (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE_CHARACTERS) {
        lines.push(rest)
        rest = ''
      }
      this.#append(lines, instance, stream)
    }
    readable.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
    readable.once('end', () => {
      if (rest !== '') this.#append([rest], instance, stream)
    })
    readable.on('error', () => {})
    readable.resume()
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

  #append(lines: readonly string[], instance: number, stream: 'stdout' | 'stderr') {
    if (lines.length === 0) return
    if (stream === 'stderr') {
      const errors = [...(this.#errors.get(instance) ?? []), ...lines.slice(-REMEMBERED_LINES)]
      this.#errors.set(instance, errors.slice(-REMEMBERED_LINES))
    }
    const time = Date.now()
    const text = lines.map((line) => formatLogLine({ time, instance, stream, text: line })).join('')
    this.warnings.attempt('write logs', () => this.#write(Buffer.from(text)))
  }

  // The file is opened for each write, so that one that was moved or removed is simply begun again.
  #write(bytes: Buffer) {
    let fd = openSync(this.file, 'a', 0o600)
    try {
      const { size } = fstatSync(fd)
      if (size > 0 && size + bytes.length > this.limits.maxBytes) {
        closeSync(fd)
        this.#rotate()
        fd = openSync(this.file, 'a', 0o600)
      }
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
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
