import { closeSync, openSync, unlinkSync } from 'node:fs'
import { CommandLock } from '@nexus/process-manager'

/** What a test asks of this process; it answers each with a `LockAnswer`. */
export type LockTask =
  /** Takes the locks and never releases them. */
  | { kind: 'hold'; names: string[] }
  /** How many times to take the lock; left-over files are removed before each time if asked. */
  | { kind: 'take'; name: string; times: number; clear: boolean }

export interface LockAnswer {
  /** How often the lock was taken. */
  taken: number
  /** How often another process was inside at that time. */
  doubles: number
}

const lock = new CommandLock({ directory: process.env.LOCK_DIRECTORY!, timeoutMs: 60_000 })
const inside = process.env.LOCK_INSIDE!

process.on('message', async (task: LockTask) => {
  const answer = { taken: 0, doubles: 0 }
  if (task.kind === 'hold') {
    for (const name of task.names) {
      await new Promise<void>((held) => {
        void lock.withLock(name, () => {
          held()
          return new Promise(() => {})
        })
      })
      answer.taken++
    }
  } else {
    for (let i = 0; i < task.times; i++) {
      if (task.clear) lock.clearStale()
      const alone = await lock.withLock(task.name, isAlone)
      answer.taken++
      if (!alone) answer.doubles++
    }
  }
  process.send!(answer)
})

/** Creates a file that must not exist and removes it after a moment: two at once fail. */
function isAlone(): boolean {
  try {
    closeSync(openSync(inside, 'wx'))
  } catch {
    return false
  }
  const end = process.hrtime.bigint() + 100_000n
  while (process.hrtime.bigint() < end);
  unlinkSync(inside)
  return true
}
