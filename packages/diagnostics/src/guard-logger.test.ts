import { RecordingLogger } from '@nexus/test-kit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { guardLogger } from './guard-logger.js'
import type { Logger } from './logger.js'
import { silentLogger } from './silent-logger.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

describe('the logger of a library', () => {
  it('is silent when none is given', () => {
    expect(guardLogger(undefined)).toBe(silentLogger)
  })

  it.each(LEVELS)('passes entries of level %s on, with the logger as this', (level) => {
    const recorder = new RecordingLogger()
    guardLogger(recorder)[level]({ a: 1 }, 'text')
    expect(recorder.entries).toEqual([{ level, fields: { a: 1 }, message: 'text' }])
  })

  it.each(LEVELS)('drops what a logger throws at level %s, and warns the process once', (level) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const fail = () => {
      throw Object.create(null)
    }
    const logger = guardLogger({ debug: fail, info: fail, warn: fail, error: fail })
    logger[level]({}, 'one')
    logger[level]({}, 'two')
    expect(warned).toHaveBeenCalledOnce()
  })

  it.each([
    ['null', null],
    ['a function', () => {}],
    ['a logger without debug', { info() {}, warn() {}, error() {} }],
  ])('refuses %s', (_what, value) => {
    expect(() => guardLogger(value as unknown as Logger)).toThrow('expected an object with debug')
  })

  it('is guarded once', () => {
    const logger = guardLogger(new RecordingLogger())
    expect(guardLogger(logger)).toBe(logger)
  })
})
