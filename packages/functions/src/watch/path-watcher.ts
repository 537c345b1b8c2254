import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { identityOf } from './path-identity.js'

/** What a {@link PathWatcher} tells. */
export interface PathWatcherEvents {
  /** Called once for changes that follow one another closely. */
  onChange: () => void
  /** Called when the system refuses to watch a directory, such as at its limit of watches. */
  onError: (error: NodeJS.ErrnoException) => void
}

/** A directory that is not there or that may not be listed: those above it tell when that changes. */
const UNWATCHABLE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'])

/**
 * Notices changes at paths, whether something lies there now or not. Each directory on the way is watched, because a file
 * that is replaced, or a directory, is another one, of which a watcher of the old one hears nothing.
 */
export class PathWatcher {
  readonly #events: PathWatcherEvents
  readonly #settleMs: number
  readonly #directories = new Map<string, FSWatcher>()
  /** What lay last at each path, and at every directory above it. */
  readonly #seen = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  /** @param settleMs how long no further change may come before one is told */
  constructor(events: PathWatcherEvents, settleMs = 50) {
    this.#events = events
    this.#settleMs = settleMs
  }

  /**
   * Watches exactly these paths from now on.
   *
   * @param paths absolute
   * @returns whether there is one among them that was not watched before
   */
  watch(paths: Iterable<string>): boolean {
    const wanted = withParents(paths)
    for (const path of this.#seen.keys()) if (!wanted.has(path)) this.#seen.delete(path)
    const parents = new Set([...wanted].map((path) => dirname(path)))
    for (const directory of this.#directories.keys()) {
      if (!parents.has(directory)) this.#drop(directory)
    }
    const gained = [...wanted].filter((path) => !this.#seen.has(path))
    for (const path of gained) this.#seen.set(path, '')
    // Before they are looked at: what changes from then on is heard.
    this.#openDirectories()
    for (const path of gained) this.#seen.set(path, identityOf(path))
    return gained.length > 0
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer)
    this.#seen.clear()
    for (const directory of this.#directories.keys()) this.#drop(directory)
  }

  #openDirectories(): void {
    for (const directory of new Set([...this.#seen.keys()].map((path) => dirname(path)))) {
      if (!this.#directories.has(directory)) this.#open(directory)
    }
  }

  #open(directory: string): void {
    try {
      const watcher = watch(directory, (event, name) => this.#heard(directory, event, name))
      watcher.on('error', () => {
        this.#drop(directory)
        this.#settle()
      })
      this.#directories.set(directory, watcher)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!UNWATCHABLE.has(code ?? '')) this.#events.onError(error as NodeJS.ErrnoException)
    }
  }

  #heard(directory: string, event: string, name: string | null): void {
    const named = name === null ? [] : [join(directory, name)]
    // The system gives its own name for a directory that goes away itself.
    if (name === null || name === basename(directory)) named.push(directory)
    const known = named.filter((path) => this.#seen.has(path))
    if (event === 'rename') for (const path of known) this.#dropBelow(path)
    if (known.length > 0) this.#settle()
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#compare(), this.#settleMs)
  }

  #compare(): void {
    this.#openDirectories()
    let changed = false
    for (const [path, before] of this.#seen) {
      const now = identityOf(path)
      if (now === before) continue
      this.#seen.set(path, now)
      changed = true
    }
    if (changed) this.#events.onChange()
  }

  /** Another directory may lie there now, also one with the number of the old one. */
  #dropBelow(path: string): void {
    for (const directory of this.#directories.keys()) {
      if (directory === path || directory.startsWith(path + sep)) this.#drop(directory)
    }
  }

  #drop(directory: string): void {
    this.#directories.get(directory)?.close()
    this.#directories.delete(directory)
  }
}

function withParents(paths: Iterable<string>): Set<string> {
  const all = new Set<string>()
  for (const path of paths) {
    for (let at = path; !all.has(at); at = dirname(at)) all.add(at)
  }
  return all
}
