import { mkdir } from 'node:fs/promises'
import { localStore } from '@nexus/event-bus'
import { z } from 'zod'
import type { Backend } from './backend.js'

const schema = z.strictObject({})

/** Events in a directory of this machine. */
export const local: Backend<z.output<typeof schema>> = {
  name: 'local',
  schema,
  choosesDurability: true,
  encrypts: true,
  async openStore({ dataDir, durability, retention, dataKey }) {
    // Events may hold anything: other users of the machine must not read them.
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return localStore({ path: dataDir, durability, retention, dataKey })
  },
}
