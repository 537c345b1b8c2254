import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { processIdentity } from '../../../process-identity.js'
import { AdoptedProcess } from './service-process.js'

/** A process that leads a group of its own, as services do. */
async function running(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child as ChildProcess & { pid: number }
}

it.runIf(process.platform === 'linux')(
  'signals nothing to a stranger that has the pid of a service by now',
  async () => {
    const stranger = await running()
    const adopted = new AdoptedProcess(stranger.pid, `${processIdentity(stranger.pid)}0`)
    adopted.terminate()
    adopted.signalGroup('SIGKILL')
    // The service counts as gone; what it left behind is ended, and the group of a stranger is none of it.
    expect(await adopted.exited).toEqual({ code: null, signal: null })
    adopted.terminate()
    adopted.signalGroup('SIGKILL')
    const signal = once(stranger, 'exit').then(([, by]) => by)
    stranger.kill('SIGHUP')
    expect(await signal).toBe('SIGHUP')
  },
)

it.runIf(process.platform === 'linux')('ends the process that it adopted', async () => {
  const service = await running()
  const adopted = new AdoptedProcess(service.pid, processIdentity(service.pid)!)
  const exit = once(service, 'exit')
  adopted.terminate()
  expect(await exit).toEqual([null, 'SIGTERM'])
  expect(await adopted.exited).toEqual({ code: null, signal: null })
})
