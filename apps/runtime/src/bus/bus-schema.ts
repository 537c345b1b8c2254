import { retentionSchema } from '@nexus/event-bus'
import { z } from 'zod'
import { backends } from './backends.js'

const names = backends.map(({ name }) => name)
const [defaultName] = names as [string, ...string[]]

const settingsOfBackends = Object.fromEntries(
  backends.map(({ name, schema }) => [
    name,
    schema.optional().meta({ description: `Settings of bus: ${name}.` }),
  ]),
)

/** The settings that are no backend's own. */
const common = {
  durability: z.enum(['disk', 'os']).optional().meta({
    description:
      'What a 202 of the local bus promises. disk: survives a power cut. os: survives the process.',
  }),
  retention: retentionSchema.unwrap().optional().meta({
    description:
      'Which events to keep; all of them when left out. Never removed: what a function has not finished with.',
  }),
}

const settingsSchema = z
  .strictObject({ ...common, ...settingsOfBackends })
  .superRefine((settings, context) => {
    const [named, second] = backendsIn(settings)
    if (named && second) {
      const message = `expected ${named.name} or ${second.name}, not both`
      context.addIssue({ code: 'custom', path: [second.name], message })
    }
    if (settings.durability !== undefined && named && !named.choosesDurability) {
      const decides = named.server
        ? 'here the server decides, see serverDurability'
        : 'here it is memory'
      const message = `expected only with the local bus; ${decides}`
      context.addIssue({ code: 'custom', path: ['durability'], message })
    }
  })

/** Where events are kept: a name, or an object with the settings of that backend. */
export const busSchema = z
  .union([z.enum(names as [string, ...string[]]), settingsSchema])
  .default(defaultName)
  .meta({
    description:
      'Where events are kept. local: in dataDir. memory: gone with the process. nats, redis: several runtimes share them.',
  })

/** The value of `bus` in a valid file. */
export type BusFile = z.output<typeof busSchema>

/** The backends that an object of settings names. */
export function backendsIn(settings: object) {
  const given = new Map(Object.entries(settings))
  return backends.filter(({ name }) => given.get(name) !== undefined)
}
