import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { EsbuildMemory } from './memory-limit.js'

const MiB = 1024 * 1024

/** A process that holds so much memory, and says so. */
async function holding(bytes: number) {
  const code = `globalThis.kept = Buffer.alloc(${bytes}, 1); console.log('ready'); setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  return child
}

it.runIf(process.platform === 'linux')(
  'a process that takes more memory than its limit is killed while it is watched, and not before',
  async () => {
    const child = await holding(200 * MiB)
    const ended = once(child, 'exit')
    const patient = new EsbuildMemory(10_000 * MiB)
    patient.started(child)
    const strict = new EsbuildMemory(150 * MiB)
    strict.started(child)
    const stopPatient = patient.watch()
    const first = strict.watch()
    const second = strict.watch()
    first()
    expect(await ended).toEqual([null, 'SIGKILL'])
    second()
    stopPatient()
  },
)

it.runIf(process.platform === 'linux')('a process in its limit is left alone', async () => {
  const child = await holding(MiB)
  const memory = new EsbuildMemory(1_000 * MiB)
  memory.started(child)
  const stop = memory.watch()
  const other = await holding(200 * MiB)
  const looked = new EsbuildMemory(150 * MiB)
  looked.started(other)
  const stopLooked = looked.watch()
  await once(other, 'exit')
  expect(child.signalCode).toBeNull()
  for (const each of [stop, stopLooked]) each()
  child.kill()
})
