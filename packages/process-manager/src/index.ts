export {
  CommandLock,
  type CommandLockStats,
  type LockOwner,
} from './command-lock.js'
export type { CommandLockOptions, WithLockOptions } from './command-lock-options.js'
export { ProcessManagerError, type ProcessManagerErrorCode } from './errors.js'
export {
  type CallOptions,
  ConnectionPool,
  type ConnectionPoolStats,
} from './pm2/connection-pool.js'
export type { ConnectionPoolOptions } from './pm2/connection-pool-options.js'
