import { expect, it } from 'vitest'
import { type PerformanceClientOptions, resolveOptions } from './options.js'

const configOf = (options: PerformanceClientOptions) =>
  resolveOptions({ env: {}, ...options }).config

it('everything has a default', () => {
  expect(configOf({})).toEqual({
    enableProfiling: true,
    profileIntervalMs: 60_000,
    enableOptimizations: true,
    autoOptimize: false,
    enableMetrics: true,
    metricsRetentionMs: 3_600_000,
    maxMetrics: 10_000,
    maxProfilingMs: 300_000,
    disks: { cwd: process.cwd() },
    hostIntervalMs: 60_000,
  })
})

/** Each option that has a variable: the text of the variable and its value, and another value as an option. */
const FROM_ENVIRONMENT = [
  ['enableProfiling', 'PERFORMANCE_ENABLED', 'false', false, true],
  ['enableMetrics', 'PERFORMANCE_ENABLED', '0', false, true],
  ['enableOptimizations', 'PERFORMANCE_ENABLED', 'false', false, true],
  ['profileIntervalMs', 'PERFORMANCE_PROFILE_INTERVAL', '250', 250, 7],
  ['metricsRetentionMs', 'PERFORMANCE_RETENTION', '3600', 3_600_000, 7],
  ['metricsRetentionMs', 'PERFORMANCE_RETENTION', '0.5', 500, 7],
] as const

it.each(FROM_ENVIRONMENT)(
  '%s: an option wins over %s, which wins over the default',
  (name, variable, text, fromEnvironment, option) => {
    const env = { [variable]: text }
    expect(configOf({ env })[name]).toBe(fromEnvironment)
    expect(configOf({ env, [name]: undefined })[name]).toBe(fromEnvironment)
    expect(configOf({ env, [name]: option })[name]).toBe(option)
    expect(configOf({ env: { [variable]: '' } })[name]).toBe(configOf({})[name])
  },
)

it.each([
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
])('PERFORMANCE_ENABLED=%s turns all of it to %s', (text, enabled) => {
  expect(configOf({ env: { PERFORMANCE_ENABLED: text } })).toMatchObject({
    enableProfiling: enabled,
    enableMetrics: enabled,
    enableOptimizations: enabled,
  })
})

it.each([
  [{ env: { PERFORMANCE_ENABLED: 'perhaps' } }, /^PERFORMANCE_ENABLED: /],
  [{ env: { PERFORMANCE_RETENTION: '1h' } }, /^PERFORMANCE_RETENTION=1h: /],
  [{ env: { PERFORMANCE_PROFILE_INTERVAL: '-1' } }, /^PERFORMANCE_PROFILE_INTERVAL=-1: /],
  [{ maxMetrics: 0 }, /maxMetrics/],
  [{ profileIntervalMs: 2 ** 31 }, /profileIntervalMs/],
  [{ autoOptimise: true }, /autoOptimise/],
])('%j is refused by name', (options, message) => {
  expect(() => resolveOptions(options as PerformanceClientOptions)).toThrow(message)
  expect(() => resolveOptions(options as PerformanceClientOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTIONS' }),
  )
})
