import type { MessagePort } from 'node:worker_threads'
import { z } from 'zod'
import { parseOptions } from '../options.js'
import type { MetricsRegistry } from '../registry/registry.js'
import type { RegistrySnapshot } from '../registry/snapshot.js'
import { TimeSlice } from '../registry/time-slice.js'

/** Part of what a thread or process recorded, on its way to a {@link MetricsGroup}. */
export interface SharedMetrics {
  /** Tells these messages from all others that may use the same channel. */
  kind: '@nexus/metrics'
  /** Parts of one round belong together; those of a round that was given up do not count. */
  round: number
  /** What was recorded. */
  snapshot: RegistrySnapshot
  /** Whether this is the last part of its round. */
  complete: boolean
}

/** Where a worker thread or child process sends its messages: `parentPort`, a `MessagePort` or `process`. */
export type ParentChannel =
  | Pick<MessagePort, 'postMessage'>
  | Pick<NodeJS.Process, 'send' | 'connected'>

/** Options of {@link shareMetrics}. */
export interface ShareMetricsOptions {
  /**
   * How often the figures are sent, in milliseconds.
   * @default 1_000
   */
  intervalMs?: number | undefined
}

const shareOptions = z.strictObject({
  intervalMs: z.number().positive().default(1_000),
}) satisfies z.ZodType<{ intervalMs: number }, ShareMetricsOptions>

/** Series in one message, so that neither side is blocked by a large registry. */
const SERIES_PER_MESSAGE = 500

/**
 * Sends what this thread or process records to the {@link MetricsGroup} of its parent every `intervalMs`. It
 * does not keep the process alive. It sends once more when the thread or process ends by itself; what one
 * that is killed counted since the last interval is lost.
 *
 * @returns a function that sends a last time and stops
 * @throws {@link MetricsError} `INVALID_OPTIONS`
 *
 * @example
 * ```ts
 * const stop = shareMetrics(registry, parentPort)
 * ```
 */
export function shareMetrics(
  registry: MetricsRegistry,
  parent: ParentChannel,
  options: ShareMetricsOptions = {},
): () => void {
  const { intervalMs } = parseOptions('shareMetrics', shareOptions, options)
  let round = 0
  let sending = false
  let stopped = false

  const post = (snapshot: RegistrySnapshot, complete: boolean) => {
    const message: SharedMetrics = { kind: '@nexus/metrics', round, snapshot, complete }
    if ('postMessage' in parent) parent.postMessage(message)
    // The parent may be gone without having closed the channel: then nothing can be sent.
    else if (parent.connected) parent.send?.(message, undefined, undefined, () => {})
  }
  const sendRound = async () => {
    round++
    await registry.refresh()
    const slice = new TimeSlice()
    for (const part of registry.snapshotParts(SERIES_PER_MESSAGE)) {
      if (stopped) return
      post(part, false)
      if (slice.isOver()) await slice.next()
    }
    if (!stopped) post({ version: 1, metrics: [] }, true)
  }
  const send = () => {
    if (sending) return
    sending = true
    void sendRound().finally(() => {
      sending = false
    })
  }
  const stop = () => {
    if (stopped) return
    stopped = true
    clearInterval(timer)
    process.off('exit', stop)
    round++
    post(registry.snapshot(), true)
  }
  const timer = setInterval(send, intervalMs)
  timer.unref()
  process.on('exit', stop)
  return stop
}
