import { expect, it } from 'vitest'
import { Firings } from './firings.js'
import { resolveSchedule, scheduleSchema } from './schedule.js'

function firings(cron: string, timeZone: string, after: string, until: string, most = 100) {
  const times = new Firings(resolveSchedule({ cron, timeZone }))
  return times
    .between(Date.parse(after), Date.parse(until), most)
    .map((at) => new Date(at).toISOString().replace(':00.000Z', 'Z'))
}

it('fires at the local time of its zone', () => {
  expect(
    firings('0 9 * * 1-5', 'America/New_York', '2026-10-30T00:00Z', '2026-11-03T00:00Z'),
  ).toEqual(['2026-10-30T13:00Z', '2026-11-02T14:00Z'])
})

it.each([
  // Clocks in Berlin go from 02:00 to 03:00 at 01:00Z.
  ['30 2 * * *', ['2026-03-29T01:00Z']],
  ['30 * * * *', ['2026-03-29T00:30Z', '2026-03-29T01:30Z', '2026-03-29T02:30Z']],
  ['30 3 * * *', ['2026-03-29T01:30Z']],
])('%s when clocks are set forward', (cron, expected) => {
  expect(firings(cron, 'Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T03:00Z')).toEqual(expected)
})

it.each([
  // Clocks in Berlin go from 03:00 to 02:00 at 01:00Z.
  ['30 2 * * *', ['2026-10-25T00:30Z']],
  ['30 * * * *', ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z']],
  ['30 3 * * *', ['2026-10-25T02:30Z']],
])('%s when clocks are set back', (cron, expected) => {
  expect(firings(cron, 'Europe/Berlin', '2026-10-25T00:00Z', '2026-10-25T03:00Z')).toEqual(expected)
})

it('begins after the one bound, and has the other', () => {
  expect(firings('0 * * * *', 'UTC', '2026-01-01T01:00Z', '2026-01-01T03:00Z')).toEqual([
    '2026-01-01T02:00Z',
    '2026-01-01T03:00Z',
  ])
  expect(firings('0 * * * *', 'UTC', '2026-01-01T03:00Z', '2026-01-01T03:00Z')).toEqual([])
})

it('has the last ones of a long time, and does not count through it', () => {
  expect(firings('* * * * * *', 'UTC', '1970-01-01T00:00Z', '2026-01-01T00:00Z', 2)).toEqual([
    '2025-12-31T23:59:59.000Z',
    '2026-01-01T00:00Z',
  ])
})

it.each([
  ['61 * * * *', 'expected a cron expression such as "0 9 * * 1-5": Invalid value for minute: 61'],
  ['hourly', 'expected a cron expression such as "0 9 * * 1-5": invalid configuration format'],
  ['* * * * * * *', '5-or-6-parts'],
  ['0 0 30 2 *', '0 0 30 2 * never fires'],
])('refuses %s', (cron, message) => {
  for (const schedule of [cron, { cron, timeZone: 'Europe/Berlin' }]) {
    expect(JSON.stringify(scheduleSchema.safeParse(schedule).error?.issues)).toContain(
      JSON.stringify(message).slice(1, -1),
    )
  }
})
