import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, sandbox } from './support/sandbox.js'

/** CPU time of a process, in milliseconds. */
function cpuMs(pid: number) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

describe('A service with a CPU limit', () => {
  it('that loops forever gets its share and no more', async () => {
    const { engine } = sandbox()
    const { instances } = await engine.start({
      name: 'busy',
      script: fixture('busy.mjs'),
      maxCpuPercent: 50,
    })
    const pid = instances[0]?.pid as number
    // What the start saved up or owes is behind it.
    await pause(500)
    const [begun, used] = [performance.now(), cpuMs(pid)]
    await pause(5_000)
    const percent = ((cpuMs(pid) - used) / (performance.now() - begun)) * 100
    expect(percent).toBeLessThanOrEqual(60)
    // A machine that is busy otherwise may not have had so much to give.
    const idle = instances.length > 0 && (await spareShare())
    if (idle) expect(percent).toBeGreaterThanOrEqual(40)
    expect(await engine.stop('busy')).toMatchObject({ state: 'stopped' })
  })

  it('is not left standing when the daemon is killed', async () => {
    const { engine } = sandbox()
    // Held to so little, it stands still nearly all the time.
    const { instances } = await engine.start({
      name: 'busy',
      script: fixture('busy.mjs'),
      maxCpuPercent: 5,
    })
    const pid = instances[0]?.pid as number
    await eventually(
      () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0],
      (state) => state === 'T',
    )
    process.kill((await engine.daemonStats()).pid, 'SIGKILL')
    const used = cpuMs(pid)
    await eventually(
      () => cpuMs(pid) - used,
      (more) => more > 300,
    )
    // The next daemon holds it again.
    expect((await engine.list())[0]?.instances).toMatchObject([{ pid, state: 'online' }])
    await eventually(
      () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0],
      (state) => state === 'T',
    )
    expect(await engine.stop('busy')).toMatchObject({ state: 'stopped' })
  })
})

/** Whether the machine gives a whole core to a loop at the moment. */
async function spareShare() {
  const begun = performance.now()
  const used = process.cpuUsage()
  while (performance.now() - begun < 300);
  const { user, system } = process.cpuUsage(used)
  return (user + system) / 1_000 / (performance.now() - begun) > 0.95
}
