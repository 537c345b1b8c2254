import { memoryStore } from '@nexus/event-bus'
import { z } from 'zod'
import type { Backend } from './backend.js'

const schema = z.strictObject({})

/** Events in the memory of this process: they end with it. */
export const memory: Backend<z.output<typeof schema>> = {
  name: 'memory',
  schema,
  openStore: ({ retention }) => memoryStore({ retention }),
}
