import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { EventBus } from '../../event-bus.js'
import type { Durability } from '../../store/stored-event.js'
import { localStore } from '../local-store.js'

interface Opened {
  noSync?: boolean
  noMetaSync?: boolean
}

const lmdb = vi.hoisted(() => ({ opened: [] as Opened[], syncs: 0 }))

// The real database, which notes how it was opened and how often it was told to sync.
vi.mock('lmdb', async (importOriginal) => {
  const original = await importOriginal<typeof import('lmdb')>()
  return {
    ...original,
    open: (options: Opened) => {
      lmdb.opened.push(options)
      const database = original.open(options as never) as unknown as {
        sync(callback: unknown): void
      }
      const sync = database.sync.bind(database)
      database.sync = (callback) => {
        lmdb.syncs += 1
        sync(callback)
      }
      return database
    },
  }
})

async function openBus(durability: 'os' | 'disk'): Promise<EventBus> {
  const path = mkdtempSync(join(tmpdir(), 'nexus-durability-'))
  lmdb.opened.length = 0
  lmdb.syncs = 0
  const bus = await EventBus.open({ store: localStore({ path, durability }) })
  onTestFinished(async () => {
    await bus.close()
    rmSync(path, { recursive: true })
  })
  return bus
}

it('every commit of a store for the disk is synced', async () => {
  await openBus('disk')
  expect(lmdb.opened).toHaveLength(1)
  expect(lmdb.opened[0]?.noMetaSync).toBe(false)
  expect(lmdb.opened[0]?.noSync).not.toBe(true)
})

it('a publish for the disk is synced where the store does not do it, and no other one', async () => {
  const bus = await openBus('os')
  expect(lmdb.opened[0]?.noMetaSync).toBe(true)
  const publish = (durability?: Durability) =>
    bus.publish({ type: 'a' }, durability === undefined ? {} : { durability })
  await publish()
  await publish('os')
  expect(lmdb.syncs).toBe(0)
  await publish('disk')
  expect(lmdb.syncs).toBe(1)
  await publish('disk')
  expect(lmdb.syncs).toBe(2)
})
