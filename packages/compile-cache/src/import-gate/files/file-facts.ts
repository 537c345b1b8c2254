import { createHash } from 'node:crypto'
import { lstatSync, readlinkSync } from 'node:fs'
import { turnOver, untilTurn } from '../../turns.js'
import { readRegularFile } from './regular-file.js'

/** What lies at a path, its own link not followed. */
export interface Place {
  kind: 'file' | 'directory' | 'link' | 'other' | 'absent'
  /** Where a link leads, as written in it. */
  target?: string
  /** Device and inode, the same for all names of one file. */
  identity?: string
  /** Whether the file has further names: hard links. */
  hasOtherNames?: boolean
}

/** Everything that one build saw of the file system, as plain data. */
export interface RecordedFacts {
  /** Absolute path, and what lay there. */
  places: [path: string, fact: string][]
  /** Absolute path of a regular file, and the SHA-256 of its content. */
  contents: [path: string, digest: string][]
}

const ABSENT: Place = { kind: 'absent' }

/**
 * Looks at the file system, each path once, and takes note of what it saw. Whatever a build decided follows from
 * these facts, so while they hold, another build of the same entry would give the same bundle.
 */
export class FileFacts {
  readonly #places = new Map<string, Place>()
  readonly #contents = new Map<string, string>()

  /** What lies at an absolute path. */
  look(path: string): Place {
    let place = this.#places.get(path)
    if (!place) {
      place = lookAt(path)
      this.#places.set(path, place)
    }
    return place
  }

  /** The content of a regular file; see {@link readRegularFile}. */
  read(realPath: string, maxBytes: number, accept?: (bytes: number) => void): Buffer {
    const content = readRegularFile(realPath, maxBytes, accept)
    this.#contents.set(realPath, digest(content))
    return content
  }

  toRecord(): RecordedFacts {
    return {
      places: [...this.#places].map(([path, place]) => [path, factOf(place)]),
      contents: [...this.#contents],
    }
  }
}

/** Whether everything still is as it was recorded. */
export async function stillHolds(
  { places, contents }: RecordedFacts,
  maxBytes: number,
): Promise<boolean> {
  return (
    (await everyInTurns(places, ([path, fact]) => factOf(lookAt(path)) === fact)) &&
    (await everyInTurns(contents, ([path, print]) => digestOf(path, maxBytes) === print))
  )
}

// Synchronous, since a call that finds the page cache takes microseconds and a promise for it ten times that.

function lookAt(path: string): Place {
  try {
    return lookStrictly(path)
  } catch {
    return ABSENT // not ours to look at, or changed meanwhile
  }
}

function lookStrictly(path: string): Place {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  if (stat === undefined) return ABSENT
  const identity = `${stat.dev}:${stat.ino}`
  if (stat.isFile()) return { kind: 'file', identity, hasOtherNames: stat.nlink > 1n }
  if (stat.isDirectory()) return { kind: 'directory', identity }
  if (stat.isSymbolicLink()) return { kind: 'link', identity, target: readlinkSync(path) }
  return { kind: 'other', identity }
}

function factOf({ kind, target }: Place): string {
  return target === undefined ? kind : `${kind} ${target}`
}

function digestOf(path: string, maxBytes: number): string | undefined {
  try {
    return digest(readRegularFile(path, maxBytes))
  } catch {
    return undefined
  }
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url')
}

async function everyInTurns<T>(items: readonly T[], test: (item: T) => boolean): Promise<boolean> {
  for (const item of items) {
    if (turnOver()) await untilTurn()
    if (!test(item)) return false
  }
  return true
}
