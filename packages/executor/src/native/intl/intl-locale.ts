const FIELDS = [
  'baseName',
  'calendar',
  'caseFirst',
  'collation',
  'hourCycle',
  'language',
  'numberingSystem',
  'numeric',
  'region',
  'script',
] as const
/** Newer Nodes have methods instead of the properties. */
const LISTS = {
  calendars: 'getCalendars',
  collations: 'getCollations',
  hourCycles: 'getHourCycles',
  numberingSystems: 'getNumberingSystems',
  textInfo: 'getTextInfo',
  timeZones: 'getTimeZones',
  weekInfo: 'getWeekInfo',
} as const

/** All that an `Intl.Locale` says. */
export function describeLocale(tag: string, options: Record<string, unknown>): object {
  const locale = new Intl.Locale(tag, options)
  const read = locale as unknown as Record<string, unknown>
  const described: Record<string, unknown> = {
    text: locale.toString(),
    maximized: locale.maximize().toString(),
    minimized: locale.minimize().toString(),
  }
  for (const field of FIELDS) described[field] = read[field]
  for (const [field, method] of Object.entries(LISTS)) {
    const list = read[method]
    described[field] = typeof list === 'function' ? list.call(locale) : read[field]
  }
  return described
}
