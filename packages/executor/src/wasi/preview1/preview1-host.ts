import type { CommandCall } from '../command-call.js'
import type { CommandFiles } from '../files/command-files.js'
import { FileError } from '../files/file-error.js'
import { clockFunctions } from './clock-functions.js'
import { emitFunction } from './emit-function.js'
import { fileFunctions } from './file-functions.js'
import { GuestMemory } from './guest-memory.js'
import type { HostContext, Preview1Functions } from './host-context.js'
import { processFunctions } from './process-functions.js'
import { Errno, NEXUS, PREVIEW1 } from './signatures.js'
import { StreamFunctions } from './stream-functions.js'

const STDERR = 2

type Imported = (...args: number[]) => unknown

/**
 * The functions that commands import. One host serves all commands of a thread: a command runs from its
 * start to its end without a pause.
 */
export class Preview1Host {
  readonly imports: Readonly<Record<string, Readonly<Record<string, Imported>>>>
  readonly #context: HostContext
  readonly #streams: StreamFunctions

  constructor(files: CommandFiles) {
    // No function runs before a command has begun.
    this.#context = { call: undefined as never, memory: new GuestMemory(), files }
    this.#streams = new StreamFunctions(this.#context)
    this.imports = {
      [PREVIEW1]: {
        ...processFunctions(this.#context),
        ...clockFunctions(this.#context),
        ...this.#descriptorFunctions(),
      } as Record<string, Imported>,
      [NEXUS]: { emit: emitFunction(this.#context) as Imported },
    }
  }

  /** What is asked from now on is asked by the command of this call. */
  begin(call: CommandCall, memory: WebAssembly.Memory): void {
    this.#context.call = call
    this.#context.memory.bind(memory)
    this.#streams.begin()
  }

  /** A descriptor is one of the three streams or a file; the first argument tells which. */
  #descriptorFunctions(): Record<string, Imported> {
    const streams: Preview1Functions = this.#streams.functions
    const files = fileFunctions(this.#context)
    return Object.fromEntries(
      Object.entries(files).map(([name, ofFile]) => {
        const ofStream = streams[name as keyof Preview1Functions]
        const onFile = this.#answering(ofFile as Imported)
        const onStream = (ofStream as Imported | undefined) ?? onFile
        const choose = (fd: number, ...rest: number[]) =>
          fd >>> 0 <= STDERR ? onStream(fd, ...rest) : onFile(fd, ...rest)
        return [name, choose]
      }),
    )
  }

  #answering(operate: Imported): Imported {
    return (...args) => {
      this.#context.call.checkDeadline()
      try {
        const errno = operate(...args)
        return typeof errno === 'number' ? errno : Errno.Success
      } catch (error) {
        if (error instanceof FileError) return error.errno
        throw error
      }
    }
  }
}
