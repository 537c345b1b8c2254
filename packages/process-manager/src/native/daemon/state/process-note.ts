import { z } from 'zod'
import { processIdentity } from '../../../process-identity.js'
import { withDefaults } from '../../../service/service-defaults.js'
import type { NativePaths } from '../../paths.js'
import { readStatusFile } from '../../status-file.js'
import { instanceRecordSchema, type ServiceRecord } from './state-file.js'

const processesSchema = z.record(z.string(), z.array(z.nullable(instanceRecordSchema)))

/**
 * The services that still run, as the status file of the daemon before tells, where its state cannot be read. Their
 * arguments, environment and rules are not known: they can be watched and stopped, and are not started again as they are.
 */
export function findRunning(paths: NativePaths): ServiceRecord[] {
  const file = readStatusFile(paths)
  const processes = processesSchema.safeParse(file?.processes)
  if (file === null || !processes.success) return []
  return file.services.flatMap(({ name, script, port }) => {
    const instances = (processes.data[name] ?? []).map((record) =>
      record !== null && processIdentity(record.pid) === record.identity ? record : null,
    )
    if (instances.every((record) => record === null)) return []
    const definition = withDefaults({
      name,
      script,
      port: port ?? undefined,
      instances: instances.length,
      autoRestart: false,
    })
    return [{ definition, wanted: true, definitionLost: true, instances, passing: [] }]
  })
}
