import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore, memoryStore } from '@nexus/event-bus'
import { describeStore, type SecretPlan } from '@nexus/event-bus/conformance'
import { bundleWorker } from '@nexus/test-kit'
import { afterAll, describe, it } from 'vitest'

const runner = { describe, it, afterAll }
const nothing = async (): Promise<void> => {}

describeStore(
  {
    name: 'the memory store',
    persistent: false,
    shared: false,
    start: async () => ({
      createStorage: async () => ({ openStore: memoryStore, dispose: nothing }),
      stop: nothing,
    }),
  },
  runner,
)

function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'nexus-bus-'))
  return { path, remove: async () => rmSync(path, { recursive: true }) }
}

const dataKey: SecretPlan = {
  name: 'the data key',
  start: async () => {
    const { path, remove } = temporaryDirectory()
    const current = randomBytes(32).toString('hex')
    const openStore = () => localStore({ path, dataKey: { current } })
    return { secrets: [current], openStore, stop: remove }
  },
}

const wrongDataKey: SecretPlan = {
  name: 'a data key that is not that of the store',
  start: async () => {
    const { path, remove } = temporaryDirectory()
    const [current, other] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
    const openStore = () => localStore({ path, dataKey: { current } })
    const first = await EventBus.open({ store: openStore() })
    await first.close()
    return {
      secrets: [current, other],
      openStore,
      openRefused: () => localStore({ path, dataKey: { current: other } }),
      stop: remove,
    }
  },
}

describeStore(
  {
    name: 'the local store',
    persistent: true,
    shared: false,
    start: async () => ({
      createStorage: async () => {
        const { path, remove } = temporaryDirectory()
        return {
          openStore: (options) => localStore({ path, ...options }),
          environment: { STORE_PATH: path },
          dispose: remove,
        }
      },
      stop: nothing,
    }),
    worker: () => bundleWorker(join(import.meta.dirname, 'store-worker.ts')),
    secrets: [dataKey, wrongDataKey],
  },
  runner,
)
