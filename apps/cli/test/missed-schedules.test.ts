import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexusServer } from './nexus.js'

/** Where Debian's package `libfaketime` puts the library; `NEXUS_LIBFAKETIME` says another place. */
const library =
  process.env.NEXUS_LIBFAKETIME ?? '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

it.skipIf(!existsSync(library))(
  'catches up after a restart on what it missed while it was stopped',
  async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'nexus-missed-'))
    onTestFinished(() => rm(cwd, { recursive: true, force: true }))
    await writeFile(join(cwd, 'tick.js'), 'export default (event) => event.data.missed')
    await writeFile(
      join(cwd, 'nexus.yaml'),
      `functions:
  - { name: all, source: ./tick.js, schedule: { cron: '0 0 * * *', missed: all } }
  - { name: once, source: ./tick.js, schedule: { cron: '0 0 * * *', missed: once } }
  - { name: skip, source: ./tick.js, schedule: '0 0 * * *' }
`,
    )
    const before = await nexusServer(['start'], { cwd, env: {} })
    const set = new NexusClient({ url: before.url })
    await expect
      .poll(async () => (await set.listEvents({ type: 'nexus.schedule-set.*' })).total)
      .toBe(2)
    await before.stop('SIGTERM')
    const after = await nexusServer(['start'], {
      cwd,
      env: { LD_PRELOAD: library, FAKETIME: '+3d', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' },
    })
    const client = new NexusClient({ url: after.url })
    const count = async (name: string) =>
      (await client.listEvents({ type: `nexus.schedule.${name}` })).total
    await expect.poll(() => count('all')).toBe(3)
    await expect.poll(() => count('once')).toBe(1)
    expect(await count('skip')).toBe(0)
  },
)
