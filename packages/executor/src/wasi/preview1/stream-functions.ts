import { Right } from '../files/command-files.js'
import { FDSTAT_BYTES, FILESTAT_BYTES } from './file-functions.js'
import type { HostContext, Preview1Functions } from './host-context.js'
import { readRanges } from './ranges.js'
import { Errno, FileType } from './signatures.js'

const STDIN = 0
const STDERR = 2

/** stdin, stdout and stderr: pipes to the host. Other descriptors go to the `files`. */
export class StreamFunctions {
  readonly #context: HostContext
  /** Which of the three are closed, as bits. */
  #closed = 0

  constructor(context: HostContext) {
    this.#context = context
  }

  /** A command begins: all three are open. */
  begin(): void {
    this.#closed = 0
  }

  readonly functions = {
    fd_read: (fd: number, iovs: number, count: number, result: number) => {
      const { memory, call } = this.#context
      if (!this.#isOpen(fd)) return Errno.Badf
      if (fd !== STDIN) return Errno.Badf
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
      const { memory, call } = this.#context
      if (!this.#isOpen(fd) || fd === STDIN) return Errno.Badf
      call.checkDeadline()
      const ranges = readRanges(memory, iovs, count)
      if (!ranges || !memory.has(result, 4)) return Errno.Fault
      let written = 0
      for (const { address, length } of ranges) {
        const bytes = memory.slice(address, length)
        if (fd === STDERR) call.log.write(bytes)
        else call.writeStdout(bytes)
        written += length
      }
      memory.setU32(result, written)
      return Errno.Success
    },
    fd_close: (fd: number) => {
      if (!this.#isOpen(fd)) return Errno.Badf
      this.#closed |= 1 << fd
      return Errno.Success
    },
    fd_fdstat_get: (fd: number, result: number) => {
      const { memory } = this.#context
      if (!this.#isOpen(fd)) return Errno.Badf
      if (!memory.has(result, FDSTAT_BYTES)) return Errno.Fault
      memory.slice(result, FDSTAT_BYTES).fill(0)
      memory.setU8(result, FileType.Unknown)
      memory.setU64(result + 8, fd === STDIN ? Right.Read : Right.Write)
      return Errno.Success
    },
    fd_filestat_get: (fd: number, result: number) => {
      const { memory } = this.#context
      if (!this.#isOpen(fd)) return Errno.Badf
      if (!memory.has(result, FILESTAT_BYTES)) return Errno.Fault
      memory.slice(result, FILESTAT_BYTES).fill(0)
      return Errno.Success
    },
    fd_seek: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_tell: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_pread: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_pwrite: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_advise: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_allocate: (fd: number) => this.#refuse(fd, Errno.Spipe),
    fd_fdstat_set_flags: (fd: number) => this.#refuse(fd, Errno.Success),
    fd_fdstat_set_rights: (fd: number) => this.#refuse(fd, Errno.Notsup),
    fd_filestat_set_size: (fd: number) => this.#refuse(fd, Errno.Inval),
    fd_filestat_set_times: (fd: number) => this.#refuse(fd, Errno.Notsup),
    fd_readdir: (fd: number) => this.#refuse(fd, Errno.Notdir),
    fd_renumber: (fd: number) => this.#refuse(fd, Errno.Notsup),
    fd_sync: (fd: number) => this.#refuse(fd, Errno.Success),
    fd_datasync: (fd: number) => this.#refuse(fd, Errno.Success),
    sock_recv: (fd: number) => this.#refuse(fd, Errno.Notsock),
    sock_send: (fd: number) => this.#refuse(fd, Errno.Notsock),
    sock_accept: (fd: number) => this.#refuse(fd, Errno.Notsock),
    sock_shutdown: (fd: number) => this.#refuse(fd, Errno.Notsock),
  } satisfies Preview1Functions

  #isOpen(fd: number): boolean {
    return fd >= STDIN && fd <= STDERR && (this.#closed & (1 << fd)) === 0
  }

  #refuse(fd: number, errno: number): number {
    return this.#isOpen(fd) ? errno : Errno.Badf
  }
}
