import { nodeError } from '../node-error.js'

/** No handler has a terminal. */
export const isatty = (): boolean => false

class NoTerminal {
  constructor() {
    throw nodeError(Error, 'ERR_INVALID_FD', 'The sandbox has no terminal')
  }
}

export { NoTerminal as ReadStream, NoTerminal as WriteStream }

export default { isatty, ReadStream: NoTerminal, WriteStream: NoTerminal }
