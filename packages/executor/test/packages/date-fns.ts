import {
  addMonths,
  differenceInBusinessDays,
  format,
  formatDistance,
  formatISO,
  intervalToDuration,
  parse,
  parseISO,
} from 'date-fns'
import { de } from 'date-fns/locale'

export default (event: { from: string; to: string }) => {
  const [from, to] = [parseISO(event.from), parseISO(event.to)]
  return [
    format(from, 'EEEE, do MMMM yyyy HH:mm'),
    format(from, 'PPPP', { locale: de }),
    formatDistance(from, to),
    formatDistance(from, to, { locale: de, addSuffix: true }),
    formatISO(addMonths(from, 1)),
    differenceInBusinessDays(to, from),
    intervalToDuration({ start: from, end: to }),
    parse('02/11/2024', 'MM/dd/yyyy', new Date(0)).getTime(),
  ]
}
