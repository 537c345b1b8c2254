import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localStore, memoryStore } from '@nexus/event-bus'
import {
  type ConformanceHarness,
  conformanceCases,
  promiseCases,
} from '@nexus/event-bus/conformance'
import { describe, it } from 'vitest'

const memory: ConformanceHarness = {
  persistent: false,
  shared: false,
  createStorage: async () => ({
    openStore: (options) => memoryStore(options),
    dispose: async () => {},
  }),
}

const local: ConformanceHarness = {
  persistent: true,
  shared: false,
  createStorage: async () => {
    const path = mkdtempSync(join(tmpdir(), 'nexus-bus-'))
    return {
      openStore: (options) => localStore({ path, ...options }),
      dispose: async () => rmSync(path, { recursive: true }),
    }
  },
}

for (const [name, harness] of Object.entries({ memory, local })) {
  describe(`the ${name} store`, () => {
    for (const { name: promise, run } of [...conformanceCases, ...promiseCases]) {
      it(promise, () => run(harness))
    }
  })
}
