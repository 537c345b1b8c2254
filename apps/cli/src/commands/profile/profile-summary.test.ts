import type { ProfileReport } from '@nexus/client'
import { expect, it } from 'vitest'
import { styleOf } from '../../terminal/terminal.js'
import { profileSummary } from './profile-summary.js'

const long = 'a-name-'.repeat(20)
const report: ProfileReport = {
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 10_000,
  process: {
    cpuPercent: 187.654,
    eventLoopBusyPercent: 100,
    eventLoopDelayP99Ms: 1234.5,
    gcMs: 1234.5,
    residentBytes: 123_456_789_012,
    heapUsedBytes: 12_345_678_901,
  },
  host: Array.from({ length: 12 }, (_, n) => ({
    name: `${long}\u001b[2J`,
    url: `file:///srv/${long}.js`,
    line: n + 1,
    selfMs: 123_456.7,
    share: 1,
  })),
  threads: [
    {
      name: long,
      busyMs: 123_456.7,
      code: [{ name: long, url: '', line: 0, selfMs: 1, share: 1 }],
      cpuProfile: {},
    },
    { name: 'sandbox-2', busyMs: 0, code: [], cpuProfile: {} },
  ],
  functions: Array.from({ length: 11 }, () => ({
    function: long,
    calls: 123_456,
    failed: 12_345,
    totalMs: 1_000_000,
    share: 1,
    averageMs: 1234.567,
    p95Ms: 12_345.678,
    maxMs: 99_999,
    averageQueueWaitMs: 1,
    memoryPeakBytes: 2 ** 31,
    hostCalls: 1,
  })),
  sandbox: {
    cacheHits: 1_234_567,
    compiled: 123_456,
    evictions: 123_456,
    rewinds: 123_456_789,
    discards: 123_456,
    threadKills: 123_456,
    instances: 1024,
    memoryBytes: 2 ** 36,
  },
  suggestions: [{ title: long, severity: 'high', advice: 'Do less of it. '.repeat(12) }],
  cpuProfile: { samplingIntervalUs: 5000, profile: {} },
}

it('fits 80 columns whatever it is told, and says what it leaves out', () => {
  const text = profileSummary(report, styleOf({} as NodeJS.WriteStream))
  const tooWide = text.split('\n').filter((line) => line.length > 80)
  expect(tooWide).toEqual([])
  expect(text).toContain('… and 1 more')
  expect(text).toContain('… and 2 more')
  expect(text).not.toContain('\u001b')
})

it('says so when nothing happened', () => {
  const quiet = { ...report, functions: [], host: [], suggestions: [] }
  const text = profileSummary(quiet, styleOf({} as NodeJS.WriteStream))
  expect(text).toContain('Functions\n  none was called\n')
  expect(text).not.toContain('Suggestions')
})
