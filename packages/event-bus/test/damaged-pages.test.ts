import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, inspectLocalStore, localStore, recoverLocalStore } from '@nexus/event-bus'
import { expect, it } from 'vitest'

const PAGE_BYTES = 4_096
const EVENTS = 120

it('a zeroed page is reported as damage, and the other events can be recovered', async () => {
  const path = mkdtempSync(join(tmpdir(), 'nexus-pages-'))
  const whole = join(path, 'whole')
  const bus = await EventBus.open({ store: localStore({ path: whole }) })
  const events = Array.from({ length: EVENTS }, (_, n) => ({
    type: 'a',
    id: `e${n}`,
    data: 'x'.repeat(200),
  }))
  await bus.publishBatch(events)
  await bus.close()
  const bytes = readFileSync(join(whole, 'events.mdb'))
  let refused = 0
  for (let page = 0; page * PAGE_BYTES < bytes.length; page++) {
    const damaged = join(path, `page-${page}`)
    mkdirSync(damaged)
    copyFileSync(join(whole, 'running'), join(damaged, 'running'))
    const copy = Buffer.from(bytes)
    copy.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    writeFileSync(join(damaged, 'events.mdb'), copy)
    const { problem } = inspectLocalStore(damaged)
    const failure = await useAll(damaged).catch((error: unknown) => error)
    if (failure !== undefined) {
      refused += 1
      expect(failure, `page ${page}`).toMatchObject({ code: 'STORE_CORRUPT' })
      expect(String(failure)).toContain('recoverLocalStore')
      expect(problem, `page ${page}: ${String(failure)}`).toBeDefined()
    }
    const { recoverableEvents } = inspectLocalStore(damaged)
    const recovery = await recoverLocalStore({ from: damaged, to: join(damaged, 'new') })
    expect(recovery.events).toBe(recoverableEvents)
    // One page has about 14 of these events.
    expect(recoverableEvents).toBeGreaterThan(EVENTS - 20)
    rmSync(damaged, { recursive: true })
  }
  expect(refused).toBeGreaterThan(5)
  rmSync(path, { recursive: true })
}, 120_000)

/** Opens, lists, reads, publishes. */
async function useAll(path: string): Promise<void> {
  const bus = await EventBus.open({ store: localStore({ path }) })
  try {
    await bus.list({ limit: 1_000 })
    await bus.list({ limit: 1_000, type: 'a' })
    for (let n = 0; n < EVENTS; n += 10) await bus.get(`e${n}`)
    await bus.publish({ type: 'a', id: 'new' })
  } finally {
    await bus.close()
  }
}
