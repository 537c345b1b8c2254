export {
  CommandLock,
  type CommandLockStats,
  type LockOwner,
} from './command-lock.js'
export type { CommandLockOptions, WithLockOptions } from './command-lock-options.js'
export { ProcessManagerError, type ProcessManagerErrorCode } from './errors.js'
