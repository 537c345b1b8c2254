import { basename, dirname, join, relative, resolve } from 'node:path'
import { describeThrown } from '@nexus/diagnostics'
import { CompileError } from '../errors.js'
import { isWithin } from './files/path-parts.js'
import { nameOf, realPathOf } from './files/real-path.js'
import { ImportGate } from './import-gate.js'
import { ImportRefusal } from './import-refusal.js'

/** A file that an operator names, with the import root that comes with it. */
export interface EntryFile {
  /** Absolute path without symbolic links. */
  path: string
  /** How errors call it: its path relative to `rootDir`. */
  name: string
  /** Its import root: an absolute path without symbolic links. */
  root: string
}

/** What decides which files may be read. */
export interface EntryFilesOptions {
  rootDir: string
  cacheDir: string | false
  privatePaths: readonly string[]
  maxFileBytes: number
  maxBundleBytes: number
}

/**
 * Finds the files that functions begin with. An operator chooses the path up to the import root; what lies in the root
 * may be written by the author of the handler, so that from there on the rules of imports hold.
 */
export class EntryFiles {
  readonly #options: EntryFilesOptions
  readonly #privatePaths: string[]

  constructor(options: EntryFilesOptions) {
    const { cacheDir, privatePaths } = options
    this.#options = options
    this.#privatePaths = [
      ...privatePaths,
      ...(cacheDir === false ? [] : [resolve(cacheDir)]),
    ].flatMap((path) => [...new Set([path, realPathOf(path)])])
  }

  /** Apart from path and root, what decides which files may be read, as part of a cache key. */
  get rules(): string {
    const { maxFileBytes, maxBundleBytes } = this.#options
    return JSON.stringify([this.#privatePaths, maxFileBytes, maxBundleBytes])
  }

  /**
   * Find an entry.
   *
   * @param path absolute, or relative to `rootDir`
   * @param root absolute, or relative to `rootDir`; the directory of the file when undefined
   * @throws CompileError IMPORT_REFUSED, or COMPILATION_ERROR when there is no such file
   */
  find(path: string, root: string | undefined): EntryFile {
    const { rootDir } = this.#options
    const asked = resolve(rootDir, path)
    const name = nameOf(rootDir, join(realPathOf(dirname(asked)), basename(asked)))
    try {
      if (asked.includes('\0')) throw new ImportRefusal('specifier')
      const entry = this.#locate(
        asked,
        root === undefined ? dirname(asked) : resolve(rootDir, root),
      )
      if (entry) return { ...entry, name: nameOf(rootDir, entry.path) }
    } catch (error) {
      throw describeRefusal(error, name)
    }
    throw new CompileError(
      'COMPILATION_ERROR',
      `${name}: there is no such file. Expected the source of a handler.`,
    )
  }

  /**
   * Read an entry.
   *
   * @param maxBytes longest file
   * @throws CompileError IMPORT_REFUSED or RESOURCE_LIMIT
   */
  read(entry: EntryFile, maxBytes = this.#options.maxFileBytes): Buffer {
    try {
      const gate = this.#open(entry.root, maxBytes)
      return gate.read({ kind: 'file', path: entry.path, zone: gate.root })
    } catch (error) {
      throw describeRefusal(error, entry.name)
    }
  }

  /**
   * A gate for one build of an entry.
   *
   * @param maxBundleBytes bytes of all files of the bundle together
   */
  openGate({ root }: EntryFile, maxBundleBytes = this.#options.maxBundleBytes): ImportGate {
    return this.#open(root, this.#options.maxFileBytes, maxBundleBytes)
  }

  #open(
    root: string,
    maxFileBytes: number,
    maxBundleBytes = this.#options.maxBundleBytes,
  ): ImportGate {
    return new ImportGate({ root, privatePaths: this.#privatePaths, maxFileBytes, maxBundleBytes })
  }

  #locate(asked: string, askedRoot: string): Omit<EntryFile, 'name'> | undefined {
    const root = realPathOf(askedRoot)
    // Up to the root the operator chose the way, and may have chosen links.
    const path = isWithin(askedRoot, asked)
      ? join(root, relative(askedRoot, asked))
      : join(realPathOf(dirname(asked)), basename(asked))
    if (!isWithin(root, path)) throw new ImportRefusal('outside')
    const gate = this.#open(root, this.#options.maxFileBytes)
    const located = gate.locate(path, { directory: root, zone: gate.root })
    if (!located) return undefined
    if (located.kind !== 'file') throw new ImportRefusal('not-a-file')
    return { path: located.path, root }
  }
}

function describeRefusal(error: unknown, name: string): unknown {
  if (error instanceof ImportRefusal) {
    const { code, rule } = error
    return new CompileError(code, `Cannot read ${name}: ${error.message}.`, { rule })
  }
  const { code, message } = describeThrown(error)
  return new CompileError('COMPILATION_ERROR', `Cannot read ${name}: ${code ?? message}`, {
    cause: error,
  })
}
