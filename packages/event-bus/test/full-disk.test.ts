import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { bundleWorker, untilTestEnds } from '@nexus/test-kit'
import { expect, it } from 'vitest'

it.skipIf(process.platform === 'win32')(
  'a disk that is full fails publishes, harms nothing that was acked and does not end the process',
  async () => {
    const source = join(import.meta.dirname, 'full-disk-worker.ts')
    const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
    const path = join(directory, 'store')
    // A limit on the size of files is a full disk that needs no root; 4,000 blocks are 2 MB or 4 MB.
    const { stdout, status, stderr } = spawnSync(
      'sh',
      ['-c', `ulimit -f 4000 && exec "${process.execPath}" "${workerFile}"`],
      { env: { ...process.env, FULL_DISK: path }, encoding: 'utf8' },
    )
    expect(status, stderr).toBe(0)
    const { acked, total, codes } = JSON.parse(stdout) as Record<string, unknown>
    expect(codes).toEqual(['STORE_FAILED'])
    expect(acked).toBeGreaterThan(5)
    expect(total).toBe(acked)
    const bus = await EventBus.open({ store: localStore({ path }) })
    expect((await bus.list()).total).toBe(acked)
    await bus.publish({ type: 'a' })
    await bus.close()
  },
)
