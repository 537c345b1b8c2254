import { HostAnswer } from '../../guest/protocol.js'
import type { HostContext } from './host-context.js'

/** `nexus.emit`: the texts are UTF-8, the data and the attributes JSON; no attributes are 0 bytes. */
export function emitFunction(context: HostContext): (...args: never[]) => number {
  const { memory } = context
  return (
    type: number,
    typeBytes: number,
    data: number,
    dataBytes: number,
    attributes: number,
    attributesBytes: number,
  ) => {
    context.call.checkDeadline()
    const inMemory =
      memory.has(type, typeBytes >>> 0) &&
      memory.has(data, dataBytes >>> 0) &&
      memory.has(attributes, attributesBytes >>> 0)
    if (!inMemory) return HostAnswer.Malformed
    return context.call.emit(
      memory.slice(type, typeBytes >>> 0),
      memory.slice(data, dataBytes >>> 0),
      memory.slice(attributes, attributesBytes >>> 0),
    )
  }
}
