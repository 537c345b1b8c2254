import type { JSVirtualFile, MemFS } from '@wasmer/wasi'
import { engineFailure } from '../../call/guest-failure.js'
import { CallEnded } from '../command-end.js'
import { Errno } from '../preview1/signatures.js'
import { FileError } from './file-error.js'
import { type FileNode, type NewTimes, nowNs } from './file-node.js'
import type { NamedFile } from './named-file.js'
import { parentOf } from './path.js'
import { wasmerLibrary } from './wasmer-library.js'

/** Where the command's root is; what it has deleted but still holds open is beside it. */
const ROOT = '/root'
const DELETED = '/deleted'
/** Bytes that a name counts for, in addition to its own length. */
const ENTRY_BYTES = 256

/**
 * The files of a command, in memory: `MemFS` of @wasmer/wasi, and around it what that does not do as
 * preview 1 wants it.
 *
 * Paths are absolute, without `.` and `..`. What is written in all, deleted or not, is limited.
 */
export class MemoryFileSystem {
  readonly #fs: MemFS
  readonly #generation = wasmerLibrary.generation
  /** By path; made on first use. */
  readonly #nodes = new Map<string, FileNode>()
  #lastInode = 0
  #deleted = 0
  #bytesLeft = Number.POSITIVE_INFINITY
  /** Grows with every change, so that what was read can be kept until then. */
  version = 0

  constructor(files: readonly NamedFile[]) {
    this.#fs = new wasmerLibrary.current!.MemFS()
    this.#fs.createDir(ROOT)
    this.#fs.createDir(DELETED)
    for (const { path, bytes } of files) {
      this.#createParents(path)
      const file = this.open(path, true)
      file.write(bytes.slice())
      file.free()
    }
    this.#nodes.clear()
    this.version = 0
  }

  /** Whether nothing was changed since it was made. */
  get isPristine(): boolean {
    return this.version === 0
  }

  /** Whether it is lost, because the library that holds it trapped. */
  get isLost(): boolean {
    return wasmerLibrary.current === undefined || wasmerLibrary.generation !== this.#generation
  }

  limit(bytes: number): void {
    this.#bytesLeft = bytes
  }

  typeOf(path: string): 'file' | 'directory' | undefined {
    try {
      const { filetype } = this.#fs.metadata(ROOT + path) as { filetype: { dir: boolean } }
      return filetype.dir ? 'directory' : 'file'
    } catch (error) {
      rethrowTrap(error)
      return undefined
    }
  }

  /** What is known of a file or directory that exists; what it was made with has the time 0. */
  node(path: string): FileNode {
    let node = this.#nodes.get(path)
    if (!node) {
      node = { inode: ++this.#lastInode, accessed: 0n, modified: 0n, changed: 0n }
      this.#nodes.set(path, node)
    }
    return node
  }

  setTimes(node: FileNode, times: NewTimes): void {
    this.#change()
    Object.assign(node, times, { changed: nowNs() })
  }

  sizeOf(path: string): number {
    const file = this.open(path)
    const size = Number(file.size())
    file.free()
    return size
  }

  /** The names in a directory, sorted. */
  list(path: string): string[] {
    const entries = this.#fs.readDir(ROOT + path) as { path: string }[]
    return entries.map((entry) => entry.path.slice(entry.path.lastIndexOf('/') + 1)).sort()
  }

  /** A handle that reads and writes; give it back with `free()`. */
  open(path: string, create = false): JSVirtualFile {
    if (create) {
      this.#charge(ENTRY_BYTES + path.length)
      this.#born(path)
    }
    return this.#do(() => this.#fs.open(ROOT + path, { read: true, write: true, create }))
  }

  createDirectory(path: string): void {
    this.#charge(ENTRY_BYTES + path.length)
    this.#do(() => this.#fs.createDir(ROOT + path))
    this.#born(path)
  }

  removeDirectory(path: string): void {
    this.#change()
    this.#do(() => this.#fs.removeDir(ROOT + path))
    this.#nodes.delete(path)
    this.#touch(this.node(parentOf(path)))
  }

  /** Takes the name away; `MemFS` would take the content from those who hold it open, too. */
  removeFile(path: string): void {
    this.#change()
    this.#do(() => this.#fs.rename(ROOT + path, `${DELETED}/${++this.#deleted}`))
    this.#nodes.delete(path)
    this.#touch(this.node(parentOf(path)))
  }

  rename(from: string, to: string): void {
    this.#change()
    this.#do(() => this.#fs.rename(ROOT + from, ROOT + to))
    for (const [path, node] of [...this.#nodes]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.#nodes.delete(path)
      this.#nodes.set(to + path.slice(from.length), node)
    }
    for (const path of [from, to]) this.#touch(this.node(parentOf(path)))
  }

  readAll(file: JSVirtualFile): Buffer {
    return this.#do(() => {
      file.seek(0)
      return Buffer.from(file.read())
    })
  }

  /** `MemFS` inserts what is written before the end: what follows is written again after it. */
  write(file: JSVirtualFile, node: FileNode, offset: number, bytes: Uint8Array): void {
    this.#do(() => {
      const size = Number(file.size())
      const end = offset + bytes.length
      this.#charge(Math.max(0, end - size))
      if (offset > size) file.setLength(BigInt(offset))
      let rest: Uint8Array | undefined
      if (end < size) {
        file.seek(end)
        rest = file.read()
      }
      if (offset < size) file.setLength(BigInt(offset))
      file.seek(offset)
      file.write(bytes)
      if (rest) file.write(rest)
    })
    this.#touch(node)
  }

  setSize(file: JSVirtualFile, node: FileNode, size: number): void {
    this.#charge(Math.max(0, size - Number(file.size())))
    this.#do(() => file.setLength(BigInt(size)))
    this.#touch(node)
  }

  free(): void {
    if (!this.isLost) this.#fs.free()
  }

  #createParents(path: string): void {
    for (let at = path.indexOf('/', 1); at !== -1; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at)
      if (this.typeOf(parent) === undefined) this.createDirectory(parent)
    }
  }

  /** A new name in its directory. */
  #born(path: string): void {
    const time = nowNs()
    Object.assign(this.node(path), { accessed: time, modified: time, changed: time })
    this.#touch(this.node(parentOf(path)))
  }

  #touch(node: FileNode): void {
    node.modified = node.changed = nowNs()
  }

  #change(): void {
    this.version++
  }

  #charge(bytes: number): void {
    if (bytes > this.#bytesLeft) throw new FileError(Errno.Nospc)
    this.#bytesLeft -= bytes
    this.#change()
  }

  #do<Value>(operation: () => Value): Value {
    try {
      return operation()
    } catch (error) {
      rethrowTrap(error)
      throw error instanceof FileError ? error : new FileError(Errno.Io)
    }
  }
}

/** A trap inside the library is no answer for the command, and the library cannot be relied on any more. */
function rethrowTrap(error: unknown): void {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
    wasmerLibrary.markBroken()
    throw new CallEnded(engineFailure(`The library that keeps the files failed: ${error.message}`))
  }
}
