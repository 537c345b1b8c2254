/** A class of `Intl`, and what a guest may ask of its instances: names of methods, never one that the guest made up. */
export interface IntlKind {
  /** Makes an instance; the server's own locale and time zone never show. */
  create(locales: string | string[], options: Record<string, unknown>): object
  /** Whether none of these locales is known, so that an instance has the default. */
  usesDefault(locales: string | string[]): boolean
  readonly methods: readonly string[]
  /** Making one, and one call with a short text, in units. */
  readonly createUnits: number
  readonly callUnits: number
}

type Locales = string | string[]
type Options = Record<string, unknown>
type Class = {
  new (locales: Locales, options: Options): object
  supportedLocalesOf(locales: Locales, options?: Options): string[]
}

/** What every handler has, wherever it runs. */
export const DEFAULT_LOCALE = 'en-US'
const DEFAULT_TIME_ZONE = 'UTC'

/** Where no locale of the list is known, Node takes the server's own: the guest gets the default instead. */
export function knownLocales(Known: Pick<Class, 'supportedLocalesOf'>, locales: Locales): Locales {
  return Known.supportedLocalesOf(locales).length > 0 ? locales : DEFAULT_LOCALE
}

function kind(
  Known: unknown,
  methods: readonly string[],
  createUnits: number,
  callUnits: number,
  defaults: Options = {},
): IntlKind {
  const Class = Known as Class
  return {
    create: (locales, options) => {
      const given = Object.fromEntries(
        Object.entries(options).filter(([, value]) => value !== undefined),
      )
      return new Class(knownLocales(Class, locales), { ...defaults, ...given })
    },
    usesDefault: (locales) => Class.supportedLocalesOf(locales).length === 0,
    methods: [...methods, 'resolvedOptions'],
    createUnits,
    callUnits,
  }
}

const PARTS = ['format', 'formatToParts']
const RANGES = [...PARTS, 'formatRange', 'formatRangeToParts']

/** The classes of `Intl` whose instances the host keeps. Units as measured on Node 20, rounded up. */
export const INTL_KINDS: Readonly<Record<string, IntlKind>> = {
  Collator: kind(Intl.Collator, ['compare'], 500, 3),
  DateTimeFormat: kind(Intl.DateTimeFormat, RANGES, 1000, 15, { timeZone: DEFAULT_TIME_ZONE }),
  DisplayNames: kind(Intl.DisplayNames, ['of'], 500, 5),
  ListFormat: kind(Intl.ListFormat, PARTS, 300, 5),
  NumberFormat: kind(Intl.NumberFormat, RANGES, 500, 10),
  PluralRules: kind(Intl.PluralRules, ['select', 'selectRange'], 500, 5),
  RelativeTimeFormat: kind(Intl.RelativeTimeFormat, PARTS, 500, 10),
  Segmenter: kind(Intl.Segmenter, ['segment'], 300, 5),
}

/** `toLocaleDateString` and its kin: what they choose by default is no format of `Intl.DateTimeFormat`. */
export function formatDate(
  method: string,
  time: number,
  locales: Locales,
  options: Options,
): string {
  const known = knownLocales(Intl.DateTimeFormat, locales)
  const all = {
    ...options,
    timeZone: options.timeZone ?? DEFAULT_TIME_ZONE,
  } as Intl.DateTimeFormatOptions
  const date = new Date(time)
  if (method === 'toLocaleDateString') return date.toLocaleDateString(known, all)
  if (method === 'toLocaleTimeString') return date.toLocaleTimeString(known, all)
  return date.toLocaleString(known, all)
}
