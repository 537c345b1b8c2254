import { Right } from '../files/rights.js'
import { FDSTAT_BYTES, FILESTAT_BYTES } from './file-functions.js'
import type { HostContext, Preview1Functions } from './host-context.js'
import { readRanges } from './ranges.js'
import { Errno, FileType } from './signatures.js'

const STDERR = 2

/** What is asked of stdin, stdout and stderr, pipes to the host, whatever their numbers are by now. */
export function streamFunctions(context: HostContext): Preview1Functions {
  const { files, memory } = context
  // Only descriptors that are a stream come here.
  const allows = (fd: number, right: bigint) => (files.stream(fd)!.rights & right) === right
  const answering = (errno: number) => () => errno

  return {
    fd_read: (fd: number, iovs: number, count: number, result: number) => {
      const { call } = context
      if (!allows(fd, Right.Read)) return Errno.Badf
      call.checkDeadline()
      const ranges = readRanges(memory, iovs, count)
      if (!ranges || !memory.has(result, 4)) return Errno.Fault
      let read = 0
      for (const { address, length } of ranges) {
        const bytes = call.readStdin(length)
        memory.write(address, bytes)
        read += bytes.length
      }
      memory.setU32(result, read)
      return Errno.Success
    },
    fd_write: (fd: number, iovs: number, count: number, result: number) => {
      const { call } = context
      if (!allows(fd, Right.Write)) return Errno.Badf
      call.checkDeadline()
      const ranges = readRanges(memory, iovs, count)
      if (!ranges || !memory.has(result, 4)) return Errno.Fault
      const isLog = files.stream(fd)!.kind === STDERR
      let written = 0
      for (const { address, length } of ranges) {
        const bytes = memory.slice(address, length)
        if (isLog) call.log.write(bytes)
        else call.writeStdout(bytes)
        written += length
      }
      memory.setU32(result, written)
      return Errno.Success
    },
    fd_fdstat_get: (fd: number, result: number) => {
      if (!memory.has(result, FDSTAT_BYTES)) return Errno.Fault
      memory.slice(result, FDSTAT_BYTES).fill(0)
      memory.setU8(result, FileType.Unknown)
      memory.setU64(result + 8, files.stream(fd)!.rights)
      return Errno.Success
    },
    fd_fdstat_set_rights: (fd: number, given: bigint, inheriting: bigint) => {
      const stream = files.stream(fd)!
      const rights = BigInt.asUintN(64, given)
      if ((rights & ~stream.rights) !== 0n || inheriting !== 0n) return Errno.Notcapable
      stream.rights = rights
      return Errno.Success
    },
    fd_filestat_get: (_fd: number, result: number) => {
      if (!memory.has(result, FILESTAT_BYTES)) return Errno.Fault
      memory.slice(result, FILESTAT_BYTES).fill(0)
      return Errno.Success
    },
    fd_seek: answering(Errno.Spipe),
    fd_tell: answering(Errno.Spipe),
    fd_pread: answering(Errno.Spipe),
    fd_pwrite: answering(Errno.Spipe),
    fd_advise: answering(Errno.Spipe),
    fd_allocate: answering(Errno.Spipe),
    fd_fdstat_set_flags: answering(Errno.Success),
    fd_filestat_set_size: answering(Errno.Inval),
    fd_filestat_set_times: answering(Errno.Notsup),
    fd_readdir: answering(Errno.Notdir),
    fd_sync: answering(Errno.Success),
    fd_datasync: answering(Errno.Success),
    sock_recv: answering(Errno.Notsock),
    sock_send: answering(Errno.Notsock),
    sock_accept: answering(Errno.Notsock),
    sock_shutdown: answering(Errno.Notsock),
  }
}
