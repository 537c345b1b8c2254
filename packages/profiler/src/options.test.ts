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
  })
})

it('the environment overrides the options', () => {
  const env = { PERFORMANCE_PROFILE_INTERVAL: '250', PERFORMANCE_RETENTION: '5000' }
  expect(configOf({ env, profileIntervalMs: 1, metricsRetentionMs: 1 })).toMatchObject({
    profileIntervalMs: 250,
    metricsRetentionMs: 5_000,
  })
})

it.each([
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
])('PERFORMANCE_ENABLED=%s turns all of it to %s', (text, enabled) => {
  const config = configOf({ env: { PERFORMANCE_ENABLED: text }, enableMetrics: !enabled })
  expect(config).toMatchObject({
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
