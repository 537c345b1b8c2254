import { type FSWatcher, watch } from 'node:fs'
import { dirname, join } from 'node:path'

/** Watches files for changes; editors that replace a file instead of writing it are noticed as well. */
export class FileWatcher {
  readonly #onChange: () => void
  readonly #settleMs: number
  readonly #directories = new Map<string, FSWatcher>()
  #files = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param onChange called once for changes that follow one another closely
   * @param settleMs how long no further change may come before `onChange` is called
   */
  constructor(onChange: () => void, settleMs = 50) {
    this.#onChange = onChange
    this.#settleMs = settleMs
  }

  /** Watches exactly these files, given by absolute path, from now on. */
  watch(files: readonly string[]): void {
    this.#files = new Set(files)
    const wanted = new Set(files.map((file) => dirname(file)))
    for (const [directory, watcher] of this.#directories) {
      if (wanted.has(directory)) continue
      watcher.close()
      this.#directories.delete(directory)
    }
    for (const directory of wanted) {
      if (!this.#directories.has(directory)) this.#directories.set(directory, this.#open(directory))
    }
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#directories.values()) watcher.close()
    this.#directories.clear()
  }

  // The directory, not the file: a file that an editor renames over is a new one, and its watcher sees nothing.
  #open(directory: string): FSWatcher {
    const watcher = watch(directory, (_event, name) => {
      const touched = name === null || this.#files.has(join(directory, name))
      if (touched) this.#changed()
    })
    // A directory that vanishes takes its watcher along; the reload that follows reports what is missing.
    watcher.on('error', () => this.#changed())
    return watcher
  }

  #changed(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onChange, this.#settleMs)
  }
}
