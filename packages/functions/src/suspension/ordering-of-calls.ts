import { orderingKeyReader, type SubscribeOptions } from '@nexus/event-bus'
import type { FunctionDefinition } from '../function-definition.js'
import { resumeDataOf } from './suspension-events.js'

/** A call that goes on takes its turn under the key of the event that it began with. */
export function orderingOfCalls({
  name,
  orderingKey,
}: FunctionDefinition): Pick<SubscribeOptions, 'orderingKey'> {
  if (orderingKey === undefined) return {}
  const keyOf = orderingKeyReader(orderingKey)
  return {
    orderingKey: (event) => {
      const goesOn = resumeDataOf(event, name)
      return goesOn ? goesOn.key : keyOf(event)
    },
  }
}
