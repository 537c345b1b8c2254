import { FdFlag, type FileStatus, ROOT_FD } from '../files/command-files.js'
import { FileError } from '../files/file-error.js'
import { type NewTimes, nowNs } from '../files/file-node.js'
import { Right, Rights } from '../files/rights.js'
import type { FileFunctions, HostContext } from './host-context.js'
import { readRanges } from './ranges.js'
import { Errno, FileType } from './signatures.js'

export const FDSTAT_BYTES = 24
export const FILESTAT_BYTES = 64
const PRESTAT_BYTES = 8
const DIRENT_BYTES = 24
const SetTime = { Accessed: 1, AccessedNow: 2, Modified: 4, ModifiedNow: 8 } as const
const ROOT_NAME = Buffer.from('/')

/** What reads and writes the files of a command, by descriptor and by path. */
export function fileFunctions(context: HostContext): FileFunctions {
  const { memory, files } = context

  const present = (address: number, length: number) => {
    if (!memory.has(address, length)) throw new FileError(Errno.Fault)
  }
  const path = (address: number, length: number): Buffer => {
    present(address, length >>> 0)
    return Buffer.from(memory.slice(address, length >>> 0))
  }
  const ranges = (iovs: number, count: number) => {
    const found = readRanges(memory, iovs, count)
    if (!found) throw new FileError(Errno.Fault)
    return found
  }
  const read = (fd: number, iovs: number, count: number, from: number, result: number) => {
    present(result, 4)
    let done = 0
    for (const { address, length } of ranges(iovs, count)) {
      const bytes = files.read(fd, from + done, length)
      memory.write(address, bytes)
      done += bytes.length
      if (bytes.length < length) break
    }
    memory.setU32(result, done)
    return done
  }
  const write = (fd: number, iovs: number, count: number, from: number, result: number) => {
    present(result, 4)
    const parts = ranges(iovs, count).map(({ address, length }) => memory.slice(address, length))
    const bytes = Buffer.concat(parts)
    files.write(fd, from, bytes)
    memory.setU32(result, bytes.length)
    return bytes.length
  }
  const writeStatus = (result: number, { node, isDirectory, size }: FileStatus) => {
    memory.slice(result, FILESTAT_BYTES).fill(0)
    memory.setU64(result, 1n)
    memory.setU64(result + 8, BigInt(node.inode))
    memory.setU8(result + 16, isDirectory ? FileType.Directory : FileType.RegularFile)
    memory.setU64(result + 24, 1n)
    memory.setU64(result + 32, BigInt(size))
    memory.setU64(result + 40, node.accessed)
    memory.setU64(result + 48, node.modified)
    memory.setU64(result + 56, node.changed)
  }

  return {
    fd_prestat_get: (fd: number, result: number) => {
      if (fd !== ROOT_FD) throw new FileError(Errno.Badf)
      files.descriptor(fd)
      present(result, PRESTAT_BYTES)
      memory.setU32(result, 0)
      memory.setU32(result + 4, ROOT_NAME.length)
    },
    fd_prestat_dir_name: (fd: number, address: number, length: number) => {
      if (fd !== ROOT_FD) throw new FileError(Errno.Badf)
      files.descriptor(fd)
      if (length >>> 0 < ROOT_NAME.length) throw new FileError(Errno.Nametoolong)
      present(address, ROOT_NAME.length)
      memory.write(address, ROOT_NAME)
    },
    fd_close: (fd: number) => files.close(fd),
    fd_renumber: (from: number, to: number) => files.renumber(from, to),
    fd_read: (fd: number, iovs: number, count: number, result: number) => {
      const descriptor = files.descriptor(fd)
      descriptor.offset += read(fd, iovs, count, descriptor.offset, result)
    },
    fd_pread: (fd: number, iovs: number, count: number, from: bigint, result: number) => {
      read(fd, iovs, count, sizeOf(from), result)
    },
    fd_write: (fd: number, iovs: number, count: number, result: number) => {
      const descriptor = files.descriptor(fd)
      const appends = (descriptor.flags & FdFlag.Append) !== 0
      const from = appends ? files.size(fd) : descriptor.offset
      descriptor.offset = from + write(fd, iovs, count, from, result)
    },
    fd_pwrite: (fd: number, iovs: number, count: number, from: bigint, result: number) => {
      write(fd, iovs, count, sizeOf(from), result)
    },
    fd_seek: (fd: number, offset: bigint, whence: number, result: number) => {
      present(result, 8)
      memory.setU64(result, BigInt(files.seek(fd, Number(offset), whence)))
    },
    fd_tell: (fd: number, result: number) => {
      present(result, 8)
      memory.setU64(result, BigInt(files.seek(fd, 0, 1)))
    },
    fd_fdstat_get: (fd: number, result: number) => {
      const { file, flags, rights, inheriting } = files.descriptor(fd)
      present(result, FDSTAT_BYTES)
      memory.slice(result, FDSTAT_BYTES).fill(0)
      memory.setU8(result, file ? FileType.RegularFile : FileType.Directory)
      memory.setU16(result + 2, flags)
      memory.setU64(result + 8, rights)
      memory.setU64(result + 16, inheriting)
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      files.demand(fd, Right.SetFlags).flags = flags
    },
    fd_fdstat_set_rights: (fd: number, given: bigint, givenInheriting: bigint) => {
      const descriptor = files.descriptor(fd)
      const [rights, inheriting] = [given, givenInheriting].map((all) => BigInt.asUintN(64, all))
      if ((rights! & ~descriptor.rights) !== 0n || (inheriting! & ~descriptor.inheriting) !== 0n) {
        throw new FileError(Errno.Notcapable)
      }
      descriptor.rights = rights!
      descriptor.inheriting = inheriting!
    },
    fd_filestat_get: (fd: number, result: number) => {
      files.demand(fd, Right.Status)
      const status = files.status(fd)
      present(result, FILESTAT_BYTES)
      writeStatus(result, status)
    },
    fd_filestat_set_size: (fd: number, size: bigint) => files.setSize(fd, sizeOf(size)),
    fd_allocate: (fd: number, from: bigint, length: bigint) => {
      files.demand(fd, Right.Allocate)
      const size = sizeOf(from) + sizeOf(length)
      if (size > files.size(fd)) files.setSize(fd, size)
    },
    fd_filestat_set_times: (fd: number, accessed: bigint, modified: bigint, flags: number) =>
      files.setTimes(fd, newTimes(accessed, modified, flags)),
    fd_advise: (fd: number) => void files.size(fd),
    fd_sync: (fd: number) => void files.descriptor(fd),
    fd_datasync: (fd: number) => void files.descriptor(fd),
    fd_readdir: (fd: number, address: number, given: number, cookie: bigint, result: number) => {
      const length = given >>> 0
      present(address, length)
      present(result, 4)
      const first = sizeOf(cookie)
      let at = 0
      for (const [i, { name, status }] of files.list(fd, first).entries()) {
        const entry = direntOf(first + i + 1, name, status).subarray(0, length - at)
        memory.write(address + at, entry)
        at += entry.length
        if (at === length) break
      }
      memory.setU32(result, at)
    },
    path_open: (
      fd: number,
      _lookup: number,
      address: number,
      length: number,
      openFlags: number,
      rights: bigint,
      inheriting: bigint,
      fdFlags: number,
      result: number,
    ) => {
      present(result, 4)
      const name = path(address, length)
      const masked = (all: bigint) => BigInt.asUintN(64, all) & Rights.all
      const opened = files.open(fd, name, openFlags, masked(rights), masked(inheriting), fdFlags)
      memory.setU32(result, opened)
    },
    path_filestat_get: (
      fd: number,
      _lookup: number,
      address: number,
      length: number,
      result: number,
    ) => {
      present(result, FILESTAT_BYTES)
      writeStatus(result, files.statusOf(fd, path(address, length)))
    },
    path_create_directory: (fd: number, address: number, length: number) =>
      files.createDirectory(fd, path(address, length)),
    path_remove_directory: (fd: number, address: number, length: number) =>
      files.removeDirectory(fd, path(address, length)),
    path_unlink_file: (fd: number, address: number, length: number) =>
      files.removeFile(fd, path(address, length)),
    path_rename: (
      fromFd: number,
      from: number,
      fromLength: number,
      toFd: number,
      to: number,
      toLength: number,
    ) => files.rename(fromFd, path(from, fromLength), toFd, path(to, toLength)),
    path_readlink: (fd: number, address: number, length: number) =>
      files.readLink(fd, path(address, length)),
    path_filestat_set_times: (
      fd: number,
      _lookup: number,
      address: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      flags: number,
    ) => files.setTimesOf(fd, path(address, length), newTimes(accessed, modified, flags)),
    path_link: () => Errno.Notsup,
    path_symlink: () => Errno.Notsup,
    sock_accept: (fd: number) => notASocket(files.descriptor(fd)),
    sock_recv: (fd: number) => notASocket(files.descriptor(fd)),
    sock_send: (fd: number) => notASocket(files.descriptor(fd)),
    sock_shutdown: (fd: number) => notASocket(files.descriptor(fd)),
  }
}

/** The times that the flags choose: a given one, the current one, or none. */
function newTimes(accessed: bigint, modified: bigint, flags: number): NewTimes {
  const has = (flag: number) => (flags & flag) !== 0
  const isUnclear =
    (has(SetTime.Accessed) && has(SetTime.AccessedNow)) ||
    (has(SetTime.Modified) && has(SetTime.ModifiedNow)) ||
    flags >>> 4 !== 0
  if (isUnclear) throw new FileError(Errno.Inval)
  return {
    ...(has(SetTime.Accessed) && { accessed: BigInt.asUintN(64, accessed) }),
    ...(has(SetTime.AccessedNow) && { accessed: nowNs() }),
    ...(has(SetTime.Modified) && { modified: BigInt.asUintN(64, modified) }),
    ...(has(SetTime.ModifiedNow) && { modified: nowNs() }),
  }
}

function notASocket(_open: unknown): number {
  return Errno.Notsock
}

/** A size or place in a file; what no file can have is answered as such. */
function sizeOf(value: bigint): number {
  const size = BigInt.asUintN(64, value)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileError(Errno.Inval)
  return Number(size)
}

function direntOf(next: number, name: string, { node, isDirectory }: FileStatus): Buffer {
  const utf8 = Buffer.from(name)
  const entry = Buffer.alloc(DIRENT_BYTES + utf8.length)
  entry.writeBigUInt64LE(BigInt(next), 0)
  entry.writeBigUInt64LE(BigInt(node.inode), 8)
  entry.writeUInt32LE(utf8.length, 16)
  entry[20] = isDirectory ? FileType.Directory : FileType.RegularFile
  utf8.copy(entry, DIRENT_BYTES)
  return entry
}
