import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isWithin } from './path-parts.js'

const CONFIG_FILE = /^nexus\.ya?ml$/i
const CONFIG_NAMES = ['nexus.yaml', 'nexus.yml']
/** Most entries of the private directories that are looked through for one build. */
const MAX_ENTRIES = 20_000

/** What belongs to the operator wherever it lies: its configuration, and the directories that a caller names. */
export class PrivatePlaces {
  readonly #paths: string[]
  /** A file has one identity under all its names: hard links, other case, other Unicode form. */
  readonly #identities: Set<string>
  readonly #directories: readonly string[]
  #filesInside: ReadonlySet<string> | 'too many' | undefined

  /**
   * @param paths absolute paths of files and directories; those that do not exist are kept by name
   * @param root the import root: a configuration in it, or in a directory above, is private under all its names
   */
  constructor(paths: readonly string[], root: string) {
    this.#directories = paths
    this.#paths = paths.map(fold)
    this.#identities = new Set([...paths, ...configurationsAbove(root)].flatMap(identityOf))
  }

  /** Whether a path is private by its name; it need not exist. */
  coversName(path: string, name: string): boolean {
    return (
      CONFIG_FILE.test(name) || this.#paths.some((directory) => isWithin(directory, fold(path)))
    )
  }

  /** Whether a file or directory is private by what it is. */
  coversIdentity(identity: string | undefined): boolean {
    return identity !== undefined && this.#identities.has(identity)
  }

  /** Whether a file that has several names lies in a private directory under one of them; yes where those hold too much. */
  holdsFile(identity: string | undefined): boolean {
    this.#filesInside ??= filesInside(this.#directories)
    return this.#filesInside === 'too many' || this.#filesInside.has(identity ?? '')
  }
}

/** File systems that ignore case or Unicode form must not make a name another one. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

function configurationsAbove(directory: string): string[] {
  const here = CONFIG_NAMES.map((name) => join(directory, name))
  const above = dirname(directory)
  return above === directory ? here : [...here, ...configurationsAbove(above)]
}

function filesInside(directories: readonly string[]): ReadonlySet<string> | 'too many' {
  const identities = new Set<string>()
  for (const directory of directories) {
    let entries: string[]
    try {
      entries = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    } catch {
      continue // not there, not ours to look into, or a file, which is known by itself
    }
    if (identities.size + entries.length > MAX_ENTRIES) return 'too many'
    for (const entry of entries) {
      for (const identity of identityOf(join(directory, entry))) identities.add(identity)
    }
  }
  return identities
}

function identityOf(path: string): string[] {
  try {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
    return stat ? [`${stat.dev}:${stat.ino}`] : []
  } catch {
    return [] // in a directory that is not ours to look into
  }
}
