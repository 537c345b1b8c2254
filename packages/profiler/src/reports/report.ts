import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CpuProfile, HeapProfile } from '../profiling/profile.js'
import type { ReportContent } from './report-content.js'
import { formatReport } from './report-text.js'

/** What happened in a stretch of time, for people and for programs. */
export class PerformanceReport {
  constructor(
    /** What the report is made of. */
    readonly content: ReportContent,
  ) {}

  /** Unique among the reports of this client. */
  get id(): string {
    return this.content.id
  }

  /** Name of the report and of its files. */
  get name(): string {
    return this.content.name
  }

  /** Where CPU time went; there after `stopProfiling()`. */
  get cpuProfile(): CpuProfile | undefined {
    return this.content.cpuProfile
  }

  /** Where memory was allocated; there after `stopProfiling()` of `startProfiling({ heap: true })`. */
  get heapProfile(): HeapProfile | undefined {
    return this.content.heapProfile
  }

  /** The report as plain data. Of the profiles it has the functions that cost most; see {@link save}. */
  toJSON(): Record<string, unknown> {
    const { cpuProfile, heapProfile, ...rest } = this.content
    return {
      ...rest,
      ...(cpuProfile && { cpuFunctions: cpuProfile.topFunctions() }),
      ...(heapProfile && { heapFunctions: heapProfile.topFunctions() }),
    }
  }

  /** The report as some lines of text. */
  toText(): string {
    return formatReport(this.content)
  }

  /** Writes {@link toText} to a terminal. */
  displaySummary(out: { write(text: string): unknown } = process.stdout): void {
    out.write(this.toText())
  }

  /**
   * Writes the report, and for each profile the file for developer tools, the one for pprof and the flame
   * graph.
   *
   * @returns the paths written
   */
  async save(directory: string): Promise<string[]> {
    const base = this.name.replace(/[^\w.-]+/g, '-')
    const files: [file: string, content: string | Buffer][] = [
      [`${base}.json`, JSON.stringify(this, undefined, 2)],
    ]
    for (const profile of [this.cpuProfile, this.heapProfile]) {
      if (!profile) continue
      const { kind, extension } = profile
      files.push(
        [`${base}${extension}`, JSON.stringify(profile)],
        [`${base}.${kind}.pb.gz`, profile.toPprof()],
        [`${base}.${kind}.html`, profile.toFlameGraph(`${this.name} (${kind})`)],
      )
    }
    await mkdir(directory, { recursive: true })
    const written = files.map(([file, content]) => ({ path: join(directory, file), content }))
    await Promise.all(written.map(({ path, content }) => writeFile(path, content)))
    return written.map(({ path }) => path)
  }
}
