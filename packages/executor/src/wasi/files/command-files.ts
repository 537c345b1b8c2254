import type { JSVirtualFile } from '@wasmer/wasi'
import { Errno } from '../preview1/signatures.js'
import { FileError } from './file-error.js'
import type { FileNode, NewTimes } from './file-node.js'
import { MemoryFileSystem } from './memory-file-system.js'
import type { NamedFile } from './named-file.js'
import { parentOf, resolvePath } from './path.js'
import { Right, Rights } from './rights.js'

/** The descriptor of the root directory, the one directory that a command is given. */
export const ROOT_FD = 3
const MAX_OPEN = 1024

export const OpenFlag = { Create: 1, Directory: 2, Exclusive: 4, Truncate: 8 } as const
export const FdFlag = { Append: 1 } as const
const Whence = { Set: 0, Current: 1, End: 2 } as const

export interface Descriptor {
  readonly path: string
  /** `undefined` for a directory. */
  readonly file: JSVirtualFile | undefined
  /** Looked up when it is needed: nothing is made for a command that never asks for a file. */
  node: FileNode | undefined
  rights: bigint
  inheriting: bigint
  flags: number
  offset: number
  /** What a directory holds, as of the last read from its start. */
  names?: readonly string[]
  content?: { bytes: Buffer; version: number }
}

/** One of the three pipes to the host. */
export interface Stream {
  /** Its number at the start: 0 is stdin, 1 stdout, 2 stderr. */
  readonly kind: number
  rights: bigint
}

export interface FileStatus {
  readonly node: FileNode
  readonly isDirectory: boolean
  readonly size: number
}

/**
 * The descriptors and files of the command that runs.
 *
 * Each call finds the files that its program names. They are made again only after a call that changed
 * something, and nothing is made for a command that never asks for a file.
 */
export class CommandFiles {
  #named: readonly NamedFile[] = []
  #fs: MemoryFileSystem | undefined
  #limitBytes = 0
  readonly #open = new Map<number, Descriptor>()
  readonly #streams = new Map<number, Stream>()

  /** @param limitBytes what the command may write to files in all */
  begin(named: readonly NamedFile[], limitBytes: number): void {
    if (named !== this.#named || this.#fs?.isLost) this.#drop()
    this.#named = named
    this.#limitBytes = limitBytes
    this.#fs?.limit(limitBytes)
    this.#open.clear()
    this.#open.set(ROOT_FD, directory('', Rights.directory, Rights.all))
    this.#streams.clear()
    for (const [kind, rights] of [Right.Read, Right.Write, Right.Write].entries()) {
      this.#streams.set(kind, { kind, rights })
    }
  }

  /** Closes what the command left open, and undoes what it did. */
  end(): void {
    if (!this.#fs?.isLost) for (const { file } of this.#open.values()) file?.free()
    this.#open.clear()
    if (this.#fs?.isPristine === false) this.#drop()
  }

  descriptor(fd: number): Descriptor {
    const descriptor = this.#open.get(fd)
    if (!descriptor) throw new FileError(Errno.Badf)
    return descriptor
  }

  /** The stream that a descriptor is, if it is one. */
  stream(fd: number): Stream | undefined {
    return this.#streams.get(fd)
  }

  /** @throws FileError when a descriptor may not be used so */
  demand(fd: number, right: bigint): Descriptor {
    const descriptor = this.descriptor(fd)
    if ((descriptor.rights & right) !== right) throw new FileError(Errno.Notcapable)
    return descriptor
  }

  close(fd: number): void {
    if (this.#streams.delete(fd)) return
    this.descriptor(fd).file?.free()
    this.#open.delete(fd)
  }

  /** Gives an open descriptor the number of another, which is closed. */
  renumber(from: number, to: number): void {
    const stream = this.#streams.get(from)
    const file = stream ? undefined : this.descriptor(from)
    if (!this.#streams.has(to)) this.descriptor(to)
    if (from === to) return
    this.close(to)
    this.#streams.delete(from)
    this.#open.delete(from)
    if (stream) this.#streams.set(to, stream)
    else this.#open.set(to, file!)
  }

  open(
    fd: number,
    given: Buffer,
    openFlags: number,
    rights: bigint,
    inheriting: bigint,
    fdFlags: number,
  ): number {
    const from = this.demand(fd, Right.Open)
    const { path, namesDirectory } = this.#resolve(fd, given)
    if (this.#open.size >= MAX_OPEN) throw new FileError(Errno.Mfile)
    const wants = (flag: number) => (openFlags & flag) !== 0
    if (wants(OpenFlag.Truncate)) this.demand(fd, Right.PathSetSize)
    const granted = (applicable: bigint) => {
      if ((rights & applicable & ~from.inheriting) !== 0n) throw new FileError(Errno.Notcapable)
      return { rights: rights & applicable, inheriting: inheriting & from.inheriting }
    }
    const type = this.#files.typeOf(path)
    if (type !== undefined && wants(OpenFlag.Create) && wants(OpenFlag.Exclusive)) {
      throw new FileError(Errno.Exist)
    }
    if (type === 'directory') {
      const writes = (rights & Right.Write) !== 0n
      if (writes || wants(OpenFlag.Truncate)) throw new FileError(Errno.Isdir)
      const allowed = granted(Rights.directory)
      return this.#add(directory(path, allowed.rights, allowed.inheriting))
    }
    if (type === undefined) {
      if (!wants(OpenFlag.Create) || wants(OpenFlag.Directory)) throw this.#missing(path)
      if (namesDirectory) throw new FileError(Errno.Isdir)
      this.demand(fd, Right.CreateFile)
      this.#assertParent(path)
    } else if (wants(OpenFlag.Directory) || namesDirectory) throw new FileError(Errno.Notdir)
    const allowed = granted(Rights.file)
    const file = this.#files.open(path, type === undefined)
    const node = this.#files.node(path)
    if (type === 'file' && wants(OpenFlag.Truncate)) this.#files.setSize(file, node, 0)
    return this.#add({ path, file, node, ...allowed, flags: fdFlags, offset: 0 })
  }

  /** Up to `length` bytes from a place in the file. */
  read(fd: number, offset: number, length: number): Buffer {
    const descriptor = this.#file(fd)
    if ((descriptor.rights & Right.Read) === 0n) throw new FileError(Errno.Badf)
    const { version } = this.#files
    if (descriptor.content?.version !== version) {
      descriptor.content = { bytes: this.#files.readAll(descriptor.file), version }
    }
    return descriptor.content!.bytes.subarray(offset, offset + length)
  }

  write(fd: number, offset: number, bytes: Buffer): void {
    const { file, node, rights } = this.#file(fd)
    if ((rights & Right.Write) === 0n) throw new FileError(Errno.Badf)
    if (bytes.length > 0) this.#files.write(file, node, offset, bytes)
  }

  size(fd: number): number {
    return Number(this.#file(fd).file.size())
  }

  setSize(fd: number, size: number): void {
    const { file, node, rights } = this.#file(fd)
    if ((rights & Right.Write) === 0n) throw new FileError(Errno.Badf)
    this.#files.setSize(file, node, size)
  }

  seek(fd: number, offset: number, whence: number): number {
    const descriptor = this.#file(fd)
    // Telling the place moves nothing.
    const tells = offset === 0 && whence === Whence.Current
    if (!(tells && (descriptor.rights & Right.Tell) !== 0n)) this.demand(fd, Right.Seek)
    const origins: Partial<Record<number, () => number>> = {
      [Whence.Set]: () => 0,
      [Whence.Current]: () => descriptor.offset,
      [Whence.End]: () => this.size(fd),
    }
    const origin = origins[whence]?.()
    if (origin === undefined) throw new FileError(Errno.Inval)
    const target = origin + offset
    if (target < 0 || !Number.isSafeInteger(target)) throw new FileError(Errno.Inval)
    descriptor.offset = target
    return target
  }

  status(fd: number): FileStatus {
    const { file } = this.descriptor(fd)
    const node = this.#nodeOf(fd)
    if (!file) return { node, isDirectory: true, size: 0 }
    return { node, isDirectory: false, size: Number(file.size()) }
  }

  statusOf(fd: number, given: Buffer): FileStatus {
    this.demand(fd, Right.PathStatus)
    const { path, namesDirectory } = this.#resolve(fd, given)
    const isDirectory = this.#existing(path, namesDirectory) === 'directory'
    const node = this.#files.node(path)
    return { node, isDirectory, size: isDirectory ? 0 : this.#files.sizeOf(path) }
  }

  setTimes(fd: number, times: NewTimes): void {
    this.demand(fd, Right.SetTimes)
    this.#files.setTimes(this.#nodeOf(fd), times)
  }

  setTimesOf(fd: number, given: Buffer, times: NewTimes): void {
    this.demand(fd, Right.PathSetTimes)
    const { path, namesDirectory } = this.#resolve(fd, given)
    this.#existing(path, namesDirectory)
    this.#files.setTimes(this.#files.node(path), times)
  }

  /** The names in a directory from the one numbered `first`, beginning with `.` and `..`. */
  list(fd: number, first: number): { name: string; status: FileStatus }[] {
    const descriptor = this.descriptor(fd)
    const { path, file } = descriptor
    if (file) throw new FileError(Errno.Notdir)
    this.demand(fd, Right.ReadDirectory)
    if (first === 0 || !descriptor.names) descriptor.names = ['.', '..', ...this.#files.list(path)]
    return descriptor.names.slice(first).map((name) => {
      const entry = name === '.' ? path : name === '..' ? parentOf(path) : `${path}/${name}`
      const isDirectory = this.#files.typeOf(entry) === 'directory'
      return { name, status: { node: this.#files.node(entry), isDirectory, size: 0 } }
    })
  }

  createDirectory(fd: number, given: Buffer): void {
    this.demand(fd, Right.CreateDirectory)
    const { path } = this.#resolve(fd, given)
    if (this.#files.typeOf(path) !== undefined) throw new FileError(Errno.Exist)
    this.#assertParent(path)
    this.#files.createDirectory(path)
  }

  removeDirectory(fd: number, given: Buffer): void {
    this.demand(fd, Right.RemoveDirectory)
    const { path } = this.#resolve(fd, given)
    if (this.#existing(path, false) === 'file') throw new FileError(Errno.Notdir)
    this.#removeDirectory(path)
  }

  removeFile(fd: number, given: Buffer): void {
    this.demand(fd, Right.RemoveFile)
    const { path, namesDirectory } = this.#resolve(fd, given)
    if (this.#existing(path, namesDirectory) === 'directory') throw new FileError(Errno.Isdir)
    this.#files.removeFile(path)
  }

  rename(fromFd: number, fromPath: Buffer, toFd: number, toPath: Buffer): void {
    this.demand(fromFd, Right.RenameSource)
    this.demand(toFd, Right.RenameTarget)
    const from = this.#resolve(fromFd, fromPath)
    const to = this.#resolve(toFd, toPath)
    const type = this.#existing(from.path, from.namesDirectory)
    if (from.path === to.path) return
    if (from.path === '' || `${to.path}/`.startsWith(`${from.path}/`)) {
      throw new FileError(Errno.Inval)
    }
    const replaced = this.#files.typeOf(to.path)
    if (type === 'directory' && replaced === 'file') throw new FileError(Errno.Notdir)
    if (type === 'file' && replaced === 'directory') throw new FileError(Errno.Isdir)
    if (type === 'file' && to.namesDirectory) throw new FileError(Errno.Notdir)
    if (replaced === undefined) this.#assertParent(to.path)
    else if (replaced === 'file') this.#files.removeFile(to.path)
    else this.#removeDirectory(to.path)
    this.#files.rename(from.path, to.path)
  }

  /** There are no symbolic links. */
  readLink(fd: number, given: Buffer): never {
    this.demand(fd, Right.ReadLink)
    const { path, namesDirectory } = this.#resolve(fd, given)
    this.#existing(path, namesDirectory)
    throw new FileError(Errno.Inval)
  }

  get #files(): MemoryFileSystem {
    if (!this.#fs) {
      this.#fs = new MemoryFileSystem(this.#named)
      this.#fs.limit(this.#limitBytes)
    }
    return this.#fs
  }

  #drop(): void {
    this.#fs?.free()
    this.#fs = undefined
  }

  #add(descriptor: Descriptor): number {
    let fd = ROOT_FD
    while (this.#open.has(fd) || this.#streams.has(fd)) fd++
    this.#open.set(fd, descriptor)
    return fd
  }

  #file(fd: number): Descriptor & { file: JSVirtualFile; node: FileNode } {
    const descriptor = this.descriptor(fd)
    if (!descriptor.file) throw new FileError(Errno.Isdir)
    return descriptor as Descriptor & { file: JSVirtualFile; node: FileNode }
  }

  #nodeOf(fd: number): FileNode {
    const descriptor = this.descriptor(fd)
    descriptor.node ??= this.#files.node(descriptor.path)
    return descriptor.node
  }

  #resolve(fd: number, given: Buffer) {
    const { path, file } = this.descriptor(fd)
    if (file) throw new FileError(Errno.Notdir)
    return resolvePath(path, given)
  }

  #existing(path: string, mustBeDirectory: boolean): 'file' | 'directory' {
    const type = this.#files.typeOf(path)
    if (type === undefined) throw this.#missing(path)
    if (type === 'file' && mustBeDirectory) throw new FileError(Errno.Notdir)
    return type
  }

  #missing(path: string): FileError {
    const isBelowFile = this.#files.typeOf(parentOf(path)) === 'file'
    return new FileError(isBelowFile ? Errno.Notdir : Errno.Noent)
  }

  #assertParent(path: string): void {
    if (this.#files.typeOf(parentOf(path)) !== 'directory') throw this.#missing(path)
  }

  #removeDirectory(path: string): void {
    if (path === '') throw new FileError(Errno.Inval)
    if (this.#files.list(path).length > 0) throw new FileError(Errno.Notempty)
    this.#files.removeDirectory(path)
  }
}

function directory(path: string, rights: bigint, inheriting: bigint): Descriptor {
  return { path, file: undefined, node: undefined, rights, inheriting, flags: 0, offset: 0 }
}
