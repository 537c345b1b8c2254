import { z } from 'zod'
import { configSchema } from './schema.js'

/** JSON Schema of `nexus.yaml`, for editors; committed as `nexus.schema.generated.json`. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' })
}
