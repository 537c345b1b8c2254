import { describeThrown, type Logger } from '@nexus/diagnostics'
import type { EventEmitter } from 'eventemitter3'
import type { EventBusListeners } from './event-bus-listeners.js'

/** Logs what happens to a bus: its server goes and comes back, what was lost is made again, an event is given up. */
export function logBus(bus: EventEmitter<EventBusListeners>, logger: Logger): void {
  let isLost = false
  bus.on('disconnected', (reason) => {
    if (!isLost) logger.warn({ reason }, 'the connection of the bus is lost')
    isLost = true
  })
  bus.on('connected', () => {
    if (isLost) logger.info({}, 'the connection of the bus is back')
    isLost = false
  })
  bus.on('repaired', () => {
    logger.warn({}, 'what the store of the bus had lost was made again, empty')
  })
  bus.on('dead-lettered', ({ event, group, attempt, error }) => {
    const fields = { function: group, eventId: event.id, type: event.type, attempt }
    logger.error({ ...fields, reason: error.message }, 'an event was given up: it is a dead letter')
  })
  bus.on('error', (error) => {
    const { message, code } = describeThrown(error)
    logger.error({ code, reason: message }, 'the bus failed')
  })
}
