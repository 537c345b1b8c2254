import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { OWN_PREFIX } from '../../../warm-pool/process-output.js'
import { type ProcessNote, writeProcessNote } from '../state/process-note.js'
import type { Warnings } from '../state/warnings.js'
import { OutputReader } from './output-reader.js'
import type { ServiceLog } from './service-log.js'

/** Between two looks at what processes printed, after there was something new and after there was nothing for long. */
const BUSY_MS = 20
const QUIET_MS = 200

/** The output of a process that is written down. */
export interface CollectedOutput {
  /** Its directory's name, under which the next daemon finds it. */
  readonly name: string
  /** Writes the rest down, and removes the files. Only once the process has ended. */
  finish(): void
}

/**
 * Writes down what processes print. Each prints into files of its own, which no reader has to live for: what is printed
 * while no daemon runs is written down by the next one.
 */
export class OutputCollector {
  readonly #read = new Set<(isLast: boolean) => boolean>()
  #timer: NodeJS.Timeout | undefined
  #delayMs = BUSY_MS

  constructor(
    /** Holds a directory for each process. */
    private readonly directory: string,
    private readonly warnings: Warnings,
  ) {}

  /** From now on: what a process printed before it became a service belongs to none. Null where its files are gone. */
  collect(name: string, log: ServiceLog, instance: number): CollectedOutput | null {
    return this.#tryToAdd(name, log, instance, (reader) => reader.skip())
  }

  /** From where the daemon before ended; null where the files are gone. */
  resume(name: string, log: ServiceLog, instance: number): CollectedOutput | null {
    const resumed = this.#tryToAdd(name, log, instance, () => {})
    // A client that waits for this daemon to start finds in the log what was printed before.
    this.#look()
    return resumed
  }

  /** Writes down which process it is that prints into a directory. */
  note(note: ProcessNote): void {
    this.warnings.attempt('write down which process it started', () =>
      writeProcessNote(this.directory, note),
    )
  }

  /** Removes the files of processes that a daemon before this one started and that are no longer there. */
  removeAllBut(names: ReadonlySet<string>): void {
    this.warnings.attempt('remove what processes printed', () => {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 })
      for (const name of readdirSync(this.directory)) {
        const isNew = name.startsWith(OWN_PREFIX)
        if (!isNew && !names.has(name))
          rmSync(join(this.directory, name), { recursive: true, force: true })
      }
    })
  }

  #tryToAdd(
    name: string,
    log: ServiceLog,
    instance: number,
    begin: (reader: OutputReader) => void,
  ): CollectedOutput | null {
    try {
      return this.#add(name, log, instance, begin)
    } catch (error) {
      this.warnings.warn(`read what a process prints that logs to ${log.file}`, error)
      return null
    }
  }

  #add(
    name: string,
    log: ServiceLog,
    instance: number,
    begin: (reader: OutputReader) => void,
  ): CollectedOutput {
    const directory = join(this.directory, name)
    const readers = (['stdout', 'stderr'] as const).map(
      (stream) => new OutputReader(directory, stream, instance, log, this.warnings),
    )
    readers.forEach(begin)
    // What was printed while no daemon ran is as old as the last of it.
    let timeOf = (lastWrittenAt: number) => Math.min(Date.now(), Math.round(lastWrittenAt))
    const read = (isLast: boolean) => {
      const news = readers.map((reader) => reader.read(isLast, timeOf))
      timeOf = Date.now
      return news.includes(true)
    }
    this.#read.add(read)
    this.#lookSoon()
    return {
      name,
      finish: () => {
        this.#read.delete(read)
        this.warnings.attempt('write down what a process printed last', () => read(true))
        for (const reader of readers) reader.close()
        this.warnings.attempt('remove what processes printed', () =>
          rmSync(directory, { recursive: true, force: true }),
        )
      },
    }
  }

  #lookSoon() {
    this.#delayMs = BUSY_MS
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), BUSY_MS)
  }

  #look() {
    clearTimeout(this.#timer)
    let news = false
    for (const read of this.#read) {
      this.warnings.attempt('read what services print', () => {
        news = read(false) || news
      })
    }
    this.#delayMs = news ? BUSY_MS : Math.min(QUIET_MS, this.#delayMs * 2)
    if (this.#read.size > 0) this.#timer = setTimeout(() => this.#look(), this.#delayMs)
  }
}
