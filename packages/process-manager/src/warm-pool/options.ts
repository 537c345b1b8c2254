import { isAbsolute } from 'node:path'
import { ProcessManagerError } from '../errors.js'

/** Options of {@link WarmPool}. */
export interface WarmPoolOptions {
  /**
   * Processes kept waiting; 0 for none.
   * @default 2
   */
  size?: number
  /**
   * What a waiting process has loaded: `node:` names and absolute paths of modules. When such a file changes, the
   * processes that loaded it are replaced.
   * @default ['node:http']
   */
  preload?: readonly string[]
  /**
   * Memory that the waiting processes may hold together; fewer wait where `size` of them would hold more.
   * @default 268_435_456 (256 MiB)
   */
  maxIdleBytes?: number
  /**
   * From the pool's own beginning until it is filled. The daemon takes 300: who started it has a service to start first.
   * @default 0
   */
  fillDelayMs?: number
  /**
   * From a start until the pool is filled up, so that the new process has the processor for itself.
   * @default 300
   */
  refillDelayMs?: number
}

export const WARM_POOL_DEFAULTS: Required<WarmPoolOptions> = {
  size: 2,
  preload: ['node:http'],
  maxIdleBytes: 256 * 2 ** 20,
  fillDelayMs: 0,
  refillDelayMs: 300,
}

/** @throws ProcessManagerError `INVALID_OPTIONS` */
export function checkWarmPoolOptions(options: Required<WarmPoolOptions>): void {
  const unknown = Object.keys(options).find((key) => !(key in WARM_POOL_DEFAULTS))
  const wrong =
    unknown ??
    (['size', 'maxIdleBytes', 'fillDelayMs', 'refillDelayMs'] as const).find(
      (key) => !(Number.isSafeInteger(options[key]) && options[key] >= 0),
    ) ??
    (options.preload.every((name) => name.startsWith('node:') || isAbsolute(name))
      ? undefined
      : 'preload')
  if (wrong === undefined) return
  throw new ProcessManagerError(
    'INVALID_OPTIONS',
    `WarmPool: "${wrong}" is not right. Expected size, maxIdleBytes, fillDelayMs and refillDelayMs as whole numbers from 0, and preload as a list of node: names and absolute paths; got ${JSON.stringify(options)}.`,
    { details: { option: wrong } },
  )
}
