import { DateTime, Duration, Interval } from 'luxon'

export default (event: { at: string }) => {
  const at = DateTime.fromISO(event.at, { zone: 'America/New_York' })
  return [
    at.toISO(),
    at.toLocaleString(DateTime.DATETIME_FULL),
    at.setLocale('de').toFormat('cccc d. LLLL yyyy HH:mm ZZZZ'),
    at.setZone('Asia/Kolkata').offsetNameLong,
    at.plus({ months: 1 }).diff(at, 'days').toObject(),
    Duration.fromObject({ hours: 30, minutes: 5 }).toHuman({ unitDisplay: 'short' }),
    Interval.after(at, { weeks: 2 }).toISODate(),
    at.startOf('week').weekNumber,
    DateTime.fromFormat('2024-02-30', 'yyyy-MM-dd').invalidReason,
  ]
}
