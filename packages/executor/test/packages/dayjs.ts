import dayjs from 'dayjs'
import 'dayjs/locale/de.js'
import customParseFormat from 'dayjs/plugin/customParseFormat.js'
import relativeTime from 'dayjs/plugin/relativeTime.js'
import timezone from 'dayjs/plugin/timezone.js'
import utc from 'dayjs/plugin/utc.js'

dayjs.extend(utc)
dayjs.extend(timezone)
dayjs.extend(relativeTime)
dayjs.extend(customParseFormat)

export default (event: { at: string }) => [
  dayjs.utc(event.at).tz('Europe/Berlin').format(),
  dayjs.tz('2024-03-31 02:30', 'Europe/Berlin').toISOString(),
  dayjs.utc(event.at).tz('America/St_Johns').format('dddd, MMMM D, YYYY h:mm A Z'),
  dayjs(event.at).locale('de').format('dddd D. MMMM YYYY'),
  dayjs(event.at).from(dayjs('2024-01-01T00:00:00Z')),
  dayjs('29/02/2024', 'DD/MM/YYYY').add(1, 'year').format('YYYY-MM-DD'),
  dayjs('nope').isValid(),
]
