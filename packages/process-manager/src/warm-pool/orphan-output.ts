import { appendFileSync } from 'node:fs'
import { formatLogLine } from '../service/log-line.js'
import type { RunRequest } from './host-messages.js'

/** Once the parent is gone, writes what the script prints into the service's log itself, for the pipe has no reader. */
export function keepOutputWithoutParent(log: RunRequest['log']): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    // A write to the broken pipe is no reason to die.
    process[stream].on('error', () => {})
    process.once('disconnect', () => {
      process[stream].write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
        if (log !== null) append(log, stream, chunk)
        const callback = rest.find((argument) => typeof argument === 'function')
        if (callback !== undefined) process.nextTick(callback)
        return true
      }
    })
  }
}

function append(
  log: NonNullable<RunRequest['log']>,
  stream: 'stdout' | 'stderr',
  chunk: Uint8Array | string,
) {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
  const lines = text.replace(/\n$/, '').split('\n')
  const time = Date.now()
  try {
    appendFileSync(
      log.file,
      lines
        .map((line) => formatLogLine({ time, instance: log.instance, stream, text: line }))
        .join(''),
      { mode: 0o600 },
    )
  } catch {
    // No reader is left.
  }
}
