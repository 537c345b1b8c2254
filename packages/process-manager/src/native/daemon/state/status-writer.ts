import { rmSync, statSync } from 'node:fs'
import { processIdentity } from '../../../process-identity.js'
import type { ServiceStatus } from '../../../service/service.js'
import { writeAtomically } from '../../files/write-atomically.js'
import type { NativePaths } from '../../paths.js'
import { type StatusFile, UNREAD_INTERVAL_MS, WANTED_FOR_MS } from '../../status-file.js'
import type { DaemonHome } from '../daemon-home.js'
import type { Warnings } from './warnings.js'

/** Keeps the status file true. */
export class StatusWriter {
  readonly #daemon: StatusFile['daemon'] = {
    pid: process.pid,
    identity: processIdentity(process.pid),
    startedAt: Date.now(),
  }
  #writtenAt = 0
  #due: NodeJS.Immediate | undefined

  constructor(
    private readonly paths: NativePaths,
    private readonly home: DaemonHome,
    private readonly services: () => ServiceStatus[],
    private readonly warnings: Warnings,
  ) {}

  /** Writes soon: several changes of one moment are one write. */
  changed(): void {
    this.#due ??= setImmediate(() => this.write())
  }

  /** Writes now what {@link changed} has put off. */
  flush(): void {
    if (this.#due !== undefined) this.write()
  }

  /** New figures are known: they are written when they are read, or when the last ones are getting old. */
  measured(): void {
    const now = Date.now()
    const wantedAt = statSync(this.paths.statusWanted, { throwIfNoEntry: false })?.mtimeMs ?? 0
    const wanted = now - wantedAt < WANTED_FOR_MS
    if (wanted || now - this.#writtenAt >= UNREAD_INTERVAL_MS) this.write()
  }

  write(): void {
    clearImmediate(this.#due)
    this.#due = undefined
    if (!this.home.isOurs) return
    this.#writtenAt = Date.now()
    const file: StatusFile = {
      version: 1,
      daemon: this.#daemon,
      writtenAt: this.#writtenAt,
      services: this.services(),
      warnings: this.warnings.list(),
    }
    const isWritten = this.warnings.attempt('write its status', () =>
      writeAtomically(this.paths.status, JSON.stringify(file)),
    )
    // Without one readers ask this daemon; what was true before is worse than that.
    if (!isWritten) {
      this.warnings.attempt('remove its old status', () =>
        rmSync(this.paths.status, { force: true }),
      )
    }
  }
}
