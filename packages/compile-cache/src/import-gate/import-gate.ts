import { dirname, isAbsolute, join, parse, sep } from 'node:path'
import { FileFacts, type RecordedFacts } from './files/file-facts.js'
import { isWithin, partsBelow } from './files/path-parts.js'
import { PrivatePlaces } from './files/private-places.js'
import { ImportRefusal } from './import-refusal.js'

/** Directories of package managers, directly below `node_modules`, that hold the packages themselves. */
const PACKAGE_STORES = new Set(['.pnpm', '.store', '.bun', '.deno'])

/** Longest path that is looked at, in UTF-16 code units: Linux knows none that is longer. */
const MAX_PATH_LENGTH = 4096

/** As many links as Linux follows. */
const MAX_LINKS = 40

/** Most directories below the import root, or below a package: a search looks into each of them. */
const MAX_DEPTH = 100

/**
 * Names that may be looked at to find one module, those that links lead over included. An ordinary import takes some hundred;
 * links that lead to each other multiply them, on the thread that everything else waits for.
 */
const MAX_NAMES = 20_000

/** Longest `package.json` or `tsconfig.json`, in bytes: each import goes through all of it. */
const MAX_MANIFEST_BYTES = 1024 * 1024

/** Where a file belongs: what it may import by path lies in the same directory. */
export interface Zone {
  /** `package`: of an npm package, wherever that is installed. */
  kind: 'root' | 'package'
  /** Absolute path without symbolic links. */
  directory: string
}

/** The place that an import is made from. */
export interface ImportSource {
  /** Directory of the importing file, without symbolic links. */
  directory: string
  zone: Zone
}

/** What a path leads to, all links followed. */
export interface Located {
  kind: 'file' | 'directory'
  /** Absolute path without symbolic links. */
  path: string
  zone: Zone
}

/** How an {@link ImportGate} is set up. */
export interface ImportGateSettings {
  /** The import root: an absolute path without symbolic links. */
  root: string
  /** Absolute paths of files and directories that are never read. */
  privatePaths: readonly string[]
  /** Longest file, in bytes. */
  maxFileBytes: number
  /** Bytes of all files of the bundle together. */
  maxBundleBytes: number
}

/**
 * The one way from a build to the file system. It follows each path link by link, and looks at nothing that the import
 * may not read: what lies outside is neither opened nor asked for, so that not even its existence shows.
 */
export class ImportGate {
  readonly root: Zone
  readonly #settings: ImportGateSettings
  readonly #private: PrivatePlaces
  readonly #facts = new FileFacts()
  readonly #realPaths = new Map<string, string | undefined>()
  /** Directories that were reached without a link, by where the way began: what lies in one is found from there. */
  readonly #reached = new Map<string, Set<string>>()
  #namesLeft = MAX_NAMES
  #loadedBytes = 0

  constructor(settings: ImportGateSettings) {
    this.#settings = settings
    this.#private = new PrivatePlaces(settings.privatePaths, settings.root)
    this.root = { kind: 'root', directory: settings.root }
  }

  /** What this build saw of the file system. */
  get facts(): RecordedFacts {
    return this.#facts.toRecord()
  }

  /** Whether a path without symbolic links lies in the import root. */
  isInRoot(realPath: string): boolean {
    return isWithin(this.root.directory, realPath)
  }

  /** The search for another module begins. */
  beginSearch(): void {
    this.#namesLeft = MAX_NAMES
  }

  /** Whether the search looked at more names than one may. */
  get isSearchOver(): boolean {
    return this.#namesLeft < 0
  }

  /** Whether `path`, absolute and normalised, is one that `from` may look at. */
  mayLookAt(path: string, from: ImportSource): boolean {
    return (
      isWithin(from.zone.directory, path) || nodeModulesAbove(path, from.directory) !== undefined
    )
  }

  /**
   * Follow a path.
   *
   * @param path absolute and normalised
   * @returns undefined when nothing is there, or when `from` may not look there
   * @throws ImportRefusal when the way leads where it must not
   */
  locate(path: string, from: ImportSource): Located | undefined {
    if (path.length > MAX_PATH_LENGTH) return undefined
    const above = nodeModulesAbove(path, from.directory)
    if (above !== undefined && !this.isInRoot(above)) {
      const base = dirname(above)
      return this.#walkFrom(base, path, { kind: 'package', directory: base })
    }
    if (above === undefined && !isWithin(from.zone.directory, path)) return undefined
    const base = this.isInRoot(from.zone.directory) ? this.root : from.zone
    return this.#walkFrom(base.directory, path, base)
  }

  /** Read a whole file, for one that is not part of a bundle. */
  read({ path }: Located): Buffer {
    return this.#facts.read(path, this.#settings.maxFileBytes)
  }

  /** Read a file that helps to build: `package.json`, `tsconfig.json` and what that extends. */
  readManifest({ path }: Located): Buffer {
    return this.#facts.read(path, Math.min(MAX_MANIFEST_BYTES, this.#settings.maxFileBytes))
  }

  /**
   * Read a file that becomes part of the bundle.
   *
   * @throws ImportRefusal `bundle-size` as well
   */
  load({ path }: Located): Buffer {
    const { maxFileBytes, maxBundleBytes } = this.#settings
    return this.#facts.read(path, maxFileBytes, (bytes) => {
      this.#loadedBytes += bytes
      if (this.#loadedBytes > maxBundleBytes) {
        throw new ImportRefusal('bundle-size', `expected at most ${maxBundleBytes} bytes`)
      }
    })
  }

  /** Follow a path from `base`, which has no links, or from the nearest place on the way that was reached before. */
  #walkFrom(base: string, path: string, start: Zone): Located | undefined {
    const parts = partsBelow(base, path)
    if (parts.length > MAX_DEPTH) {
      throw new ImportRefusal('resolve-steps', `expected at most ${MAX_DEPTH} directories`)
    }
    const reached = this.#reached.get(base) ?? new Set()
    this.#reached.set(base, reached)
    const parent = dirname(path)
    return reached.has(parent)
      ? this.#walk(parent, parts.slice(-1), start, reached)
      : this.#walk(base, parts, start, reached)
  }

  /** @param reached gets the directories on the way, up to the first link */
  #walk(
    base: string,
    parts: readonly string[],
    start: Zone,
    reached: Set<string>,
  ): Located | undefined {
    const left = [...parts]
    let isDirect = true
    let at = base
    let zone = start
    let kind: Located['kind'] = 'directory'
    let links = 0
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      if (--this.#namesLeft < 0) throw new ImportRefusal('resolve-steps')
      if (part === '' || part === '.') continue
      if (kind === 'file') return undefined
      if (part === 'node_modules' && !this.isInRoot(at)) {
        isDirect = false
        const found = this.#enterPackage(join(at, part), left)
        if (!found) return undefined
        ;({ path: at, zone, kind } = found)
        continue
      }
      const confines = this.isInRoot(at) ? this.root.directory : zone.directory
      if (part === '..') {
        at = dirname(at)
        if (!isWithin(confines, at)) throw new ImportRefusal('link')
        continue
      }
      const next = join(at, part)
      const place = this.#look(next, part, at)
      if (place.kind === 'absent') return undefined
      if (place.kind === 'other') throw new ImportRefusal('not-a-file')
      if (place.kind === 'link') {
        isDirect = false
        if (++links > MAX_LINKS) return undefined
        const target = place.target!
        if (isAbsolute(target)) {
          if (!isWithin(confines, target)) throw new ImportRefusal('link')
          at = confines
          left.unshift(...target.slice(confines.length).split(sep))
        } else left.unshift(...target.split(/[\\/]/))
        continue
      }
      at = next
      kind = place.kind
      if (isDirect && kind === 'directory') reached.add(at)
    }
    return { kind, path: at, zone: this.isInRoot(at) ? this.#zoneInRoot(at) : zone }
  }

  /**
   * Go into a package of a `node_modules` outside the import root. Who installed it could put a link there, the
   * author of a handler could not, so it may lead anywhere.
   *
   * @param left what follows `node_modules` in the path; the package's name is taken off
   */
  #enterPackage(nodeModules: string, left: string[]): Located | undefined {
    const name = left.splice(0, left[0]?.startsWith('@') ? 2 : 1)
    if (name.some((part) => part.startsWith('.'))) throw new ImportRefusal('hidden')
    const path = this.#realPathOf(join(nodeModules, ...name))
    const place = path === undefined ? undefined : this.#facts.look(path)
    if (path === undefined || place?.kind !== 'directory') return undefined
    if (this.#private.coversName(path, '') || this.#private.coversIdentity(place.identity)) {
      throw new ImportRefusal('private')
    }
    return { kind: 'directory', path, zone: { kind: 'package', directory: path } }
  }

  #look(path: string, name: string, directory: string): ReturnType<FileFacts['look']> {
    const inStore = PACKAGE_STORES.has(name) && /[\\/]node_modules$/.test(directory)
    if (name.startsWith('.') && !inStore) throw new ImportRefusal('hidden')
    if (this.#private.coversName(path, name)) throw new ImportRefusal('private')
    const place = this.#facts.look(path)
    if (this.#private.coversIdentity(place.identity)) throw new ImportRefusal('private')
    // Another name of the file may lie in a directory of the operator.
    if (place.hasOtherNames && this.#private.holdsFile(place.identity)) {
      throw new ImportRefusal('private')
    }
    return place
  }

  /** The path without links, wherever they lead; undefined when nothing is there. */
  #realPathOf(path: string): string | undefined {
    if (!this.#realPaths.has(path)) this.#realPaths.set(path, this.#followLinks(path))
    return this.#realPaths.get(path)
  }

  #followLinks(path: string): string | undefined {
    const { root } = parse(path)
    const left = path.slice(root.length).split(sep)
    let at = root
    let links = 0
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      if (--this.#namesLeft < 0) throw new ImportRefusal('resolve-steps')
      if (part === '' || part === '.') continue
      const next = join(at, part)
      const place = part === '..' ? undefined : this.#facts.look(next)
      if (place?.kind === 'absent' || place?.kind === 'other') return undefined
      if (place?.kind !== 'link') {
        at = next
        continue
      }
      if (++links > MAX_LINKS) return undefined
      if (isAbsolute(place.target!)) at = parse(place.target!).root
      left.unshift(...place.target!.slice(parse(place.target!).root.length).split(/[\\/]/))
    }
    return at
  }

  /** A package inside the import root is a zone of its own, the import root's is the rest. */
  #zoneInRoot(realPath: string): Zone {
    const parts = partsBelow(this.root.directory, realPath)
    const at = parts.lastIndexOf('node_modules')
    const length = parts[at + 1]?.startsWith('@') ? 3 : 2
    if (at < 0 || parts.length < at + length) return this.root
    return {
      kind: 'package',
      directory: join(this.root.directory, ...parts.slice(0, at + length)),
    }
  }
}

/** The nearest `node_modules` beside or above `directory` that `path` lies in. */
function nodeModulesAbove(path: string, directory: string): string | undefined {
  const inside = `${sep}node_modules`
  for (let at = path.lastIndexOf(inside); at >= 0; at = path.lastIndexOf(inside, at - 1)) {
    const nodeModules = path.slice(0, at + inside.length)
    const whole = path.length === nodeModules.length || path[nodeModules.length] === sep
    if (whole && isWithin(path.slice(0, at) || sep, directory)) return nodeModules
    if (at === 0) break
  }
  return undefined
}
