import { processIdentity } from '../../../process-identity.js'
import { withDefaults } from '../../../service/service-defaults.js'
import type { ProcessNote } from './process-note.js'
import type { ServiceRecord } from './state-file.js'

/**
 * What the state knows, with processes that it does not: because it could not be read, is gone, or could not be written when they
 * began. A service that it knows has its process back. Of the others neither arguments, environment nor rules are known: they can
 * be watched and stopped, and are not started again as they are.
 */
export function takeIn(
  known: readonly ServiceRecord[],
  found: readonly ProcessNote[],
): ServiceRecord[] {
  const services = new Map(known.map((record) => [record.definition.name, record]))
  const inOrder = [...found].sort(
    (a, b) => a.index - b.index || a.process.startedAt - b.process.startedAt,
  )
  for (const note of inOrder) {
    const record = services.get(note.service)
    const isDefined = record !== undefined && !record.definitionLost
    services.set(note.service, isDefined ? placed(record, note) : joined(record, note))
  }
  return [...services.values()]
}

/** In its place, unless another process has that or there is none any more: it is to end then. */
function placed(record: ServiceRecord, { index, process }: ProcessNote): ServiceRecord {
  const isFree = index < record.definition.instances && !runs(record.instances[index])
  if (!isFree) return { ...record, passing: [...record.passing, process] }
  const instances = Array.from({ length: record.definition.instances }, (_, at) =>
    at === index ? process : (record.instances[at] ?? null),
  )
  return { ...record, wanted: true, instances }
}

/** However many there are, none is ended: which of them is of use is not known. */
function joined(
  record: ServiceRecord | undefined,
  { service, script, port, process }: ProcessNote,
): ServiceRecord {
  const instances = [...(record?.instances ?? []), process]
  const definition = withDefaults({
    name: service,
    script,
    port: port ?? undefined,
    instances: instances.length,
    autoRestart: false,
  })
  return { definition, wanted: true, definitionLost: true, instances, passing: [] }
}

function runs(record: ServiceRecord['instances'][number] | undefined): boolean {
  return record != null && processIdentity(record.pid) === record.identity
}
