import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { limitAnswers } from '../limits/answer-limit.js'
import { esbuildMemory } from '../limits/memory-limit.js'

let isWatching = false

/**
 * Bounds what esbuild's process may send and hold, whenever this thread starts it. The first call counts, and comes before
 * esbuild is used.
 */
export function limitEsbuildProcess(maxAnswerBytes: number): void {
  if (isWatching) return
  isWatching = true
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess }
    // It is being spawned: its streams are there a moment later.
    queueMicrotask(() => {
      if (!isEsbuild(child)) return
      limitAnswers(child, maxAnswerBytes)
      esbuildMemory.started(child)
    })
  })
}

function isEsbuild({ spawnargs, stdout }: ChildProcess): boolean {
  return stdout !== null && spawnargs?.some((arg) => arg.startsWith('--service='))
}
