import { randomFillSync } from 'node:crypto'
import { CommandExit } from '../command-end.js'
import type { HostContext, Preview1Functions } from './host-context.js'
import { Errno } from './signatures.js'

/** Arguments, environment, exit and randomness. */
export function processFunctions(context: HostContext): Preview1Functions {
  const { memory } = context
  const sizes = (entries: readonly Buffer[], count: number, bytes: number) => {
    if (!memory.has(count, 4) || !memory.has(bytes, 4)) return Errno.Fault
    memory.setU32(count, entries.length)
    memory.setU32(bytes, totalBytes(entries))
    return Errno.Success
  }
  const list = (entries: readonly Buffer[], pointers: number, buffer: number) => {
    if (!memory.has(pointers, entries.length * 4) || !memory.has(buffer, totalBytes(entries))) {
      return Errno.Fault
    }
    let at = buffer
    entries.forEach((entry, i) => {
      memory.setU32(pointers + i * 4, at)
      memory.write(at, entry)
      at += entry.length
    })
    return Errno.Success
  }
  return {
    args_sizes_get: (count: number, bytes: number) => sizes(context.call.args, count, bytes),
    args_get: (pointers: number, buffer: number) => list(context.call.args, pointers, buffer),
    environ_sizes_get: (count: number, bytes: number) => sizes(context.call.environ, count, bytes),
    environ_get: (pointers: number, buffer: number) => list(context.call.environ, pointers, buffer),
    proc_exit: (status: number) => {
      throw new CommandExit(status >>> 0)
    },
    proc_raise: () => Errno.Notsup,
    sched_yield: () => {
      context.call.checkDeadline()
      return Errno.Success
    },
    random_get: (address: number, length: number) => {
      context.call.checkDeadline()
      if (!memory.has(address, length >>> 0)) return Errno.Fault
      randomFillSync(memory.slice(address, length >>> 0))
      return Errno.Success
    },
  }
}

function totalBytes(entries: readonly Buffer[]): number {
  return entries.reduce((sum, entry) => sum + entry.length, 0)
}
