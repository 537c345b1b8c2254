import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { logBus } from './bus-log.js'

it('what happens to a bus is logged: lost once, back, repaired, given up, failed', () => {
  const logger = new RecordingLogger()
  const lines = logger.entries
  const listeners = new Map<string, (...args: never[]) => void>()
  logBus(
    { on: (name: string, listener: () => void) => listeners.set(name, listener) } as never,
    logger,
  )
  const emit = (name: string, ...args: unknown[]) => listeners.get(name)!(...(args as never[]))
  emit('connected')
  expect(lines, 'the first connection is no news').toEqual([])
  emit('disconnected', 'refused')
  emit('disconnected', 'refused')
  emit('connected')
  emit('repaired')
  emit('dead-lettered', {
    event: { id: 'e', type: 't' },
    ...{ group: 'f', attempt: 3, error: new Error('no') },
  })
  emit('error', Object.assign(new Error('full'), { code: 'STORE_FULL' }))
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'the connection of the bus is lost'],
    ['info', 'the connection of the bus is back'],
    ['warn', 'what the store of the bus had lost was made again, empty'],
    ['error', 'an event was given up: it is a dead letter'],
    ['error', 'the bus failed'],
  ])
  expect(lines.at(-2)!.fields).toMatchObject({ function: 'f', eventId: 'e', reason: 'no' })
  expect(lines.at(-1)!.fields).toEqual({ code: 'STORE_FULL', reason: 'full' })
})
