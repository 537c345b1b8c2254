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
import { streamFunctions } from './stream-functions.js'

type Imported = (...args: number[]) => unknown

/**
 * The functions that commands import. One host serves all commands of a thread: a command runs from its
 * start to its end without a pause.
 */
export class Preview1Host {
  readonly imports: Readonly<Record<string, Readonly<Record<string, Imported>>>>
  readonly #context: HostContext

  constructor(files: CommandFiles) {
    // No function runs before a command has begun.
    this.#context = { call: undefined as never, memory: new GuestMemory(), files }
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
  }

  /** A descriptor is one of the three streams or a file; its number tells which. */
  #descriptorFunctions(): Record<string, Imported> {
    const streams: Preview1Functions = streamFunctions(this.#context)
    const files = fileFunctions(this.#context)
    const { files: open } = this.#context
    return Object.fromEntries(
      Object.entries(files).map(([name, ofFile]) => {
        const onStream = streams[name as keyof Preview1Functions] as Imported | undefined
        const onFile = this.#answering(ofFile as Imported)
        if (!onStream) return [name, onFile]
        const choose = (fd: number, ...rest: number[]) =>
          open.stream(fd) ? onStream(fd, ...rest) : onFile(fd, ...rest)
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
