import { Temporal } from 'temporal-polyfill'

export default (at: string) => {
  const zoned = Temporal.Instant.from(at).toZonedDateTimeISO('Europe/Berlin')
  return [
    zoned.toString(),
    zoned.add({ months: 1 }).toPlainDate().toString(),
    zoned
      .until(Temporal.ZonedDateTime.from('2025-01-01T00:00[Asia/Tokyo]'), { largestUnit: 'hour' })
      .toString(),
    Temporal.PlainDate.from('2024-02-29').toLocaleString('de', { dateStyle: 'full' }),
    Temporal.Duration.from('PT36H').round({ largestUnit: 'day' }).toString(),
  ]
}
