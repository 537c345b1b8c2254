// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
const LOCALES = [
  undefined,
  'en-US',
  'de-DE',
  'fr',
  'ja-JP',
  'ar-EG',
  'hi-IN',
  'de-CH',
  'pt-BR',
  'zh-Hans-CN',
  ['xx', 'de'],
  'xx',
  [],
] as (string | string[] | undefined)[]
const NUMBERS = [
  0,
  -0,
  1,
  -1.5,
  1234567.891,
  1e21,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0.000001234,
  12345678901234567890n,
  '98765432109876543210.5',
]
const NUMBER_OPTIONS: Intl.NumberFormatOptions[] = [
  {},
  { style: 'currency', currency: 'EUR' },
  { style: 'currency', currency: 'JPY', currencyDisplay: 'name' },
  { style: 'percent', maximumFractionDigits: 1 },
  { notation: 'compact' },
  { notation: 'compact', compactDisplay: 'long' },
  { notation: 'scientific' },
  { style: 'unit', unit: 'kilometer-per-hour', unitDisplay: 'long' },
  { minimumFractionDigits: 2 },
  { maximumSignificantDigits: 3 },
  { signDisplay: 'always' },
  { useGrouping: false },
  { minimumIntegerDigits: 5 },
]
const TIMES = [0, 1_700_000_000_000, -1e12, 951782400000]
const DATE_OPTIONS: Intl.DateTimeFormatOptions[] = [
  {},
  { dateStyle: 'full', timeStyle: 'long' },
  { dateStyle: 'short' },
  { timeStyle: 'medium', timeZone: 'America/New_York' },
  { weekday: 'long', month: 'short', day: 'numeric' },
  {
    year: '2-digit',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    timeZone: 'Asia/Kolkata',
    timeZoneName: 'short',
  },
  { era: 'short', year: 'numeric' },
  { dayPeriod: 'long', hour: 'numeric' },
  { fractionalSecondDigits: 3, second: 'numeric' },
  { timeZone: 'Europe/Berlin', timeZoneName: 'longOffset' },
]
const WORDS = ['z', 'a', 'ä', 'Z', 'é', 'e', 'ö', '10', '2', 'ß', 'ss', '', 'co-op', 'coop']
/** The engines word it differently. */
const nameOf = (run: () => unknown) => {
  try {
    return run()
  } catch (error) {
    return (error as Error).name
  }
}
const resolved = (format: { resolvedOptions(): object }) => ({ ...format.resolvedOptions() })

export default () =>
  outcomes([
    ...LOCALES.flatMap((locale) =>
      NUMBERS.map((number) => () => new Intl.NumberFormat(locale).format(any(number))),
    ),
    ...NUMBER_OPTIONS.flatMap((options) =>
      ['en-US', 'de', 'ja'].flatMap((locale) => [
        () => new Intl.NumberFormat(locale, options).format(1234.567),
        () => new Intl.NumberFormat(locale, options).formatToParts(-0.5),
        () => resolved(new Intl.NumberFormat(locale, options)),
        () => (1e6).toLocaleString(locale, options),
        () => 123n.toLocaleString(locale, any(options)),
        () => new Intl.NumberFormat(locale, options).formatRange(1, 5),
      ]),
    ),
    ...LOCALES.flatMap((locale) =>
      TIMES.map((time) => () => [
        new Date(time).toLocaleString(locale),
        new Date(time).toLocaleDateString(locale),
        new Date(time).toLocaleTimeString(locale),
      ]),
    ),
    ...DATE_OPTIONS.flatMap((options) =>
      ['en-US', 'de', 'ja-JP-u-ca-japanese', 'th'].flatMap((locale) => [
        ...TIMES.map(
          (time) => () =>
            new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).format(time),
        ),
        () =>
          new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).formatToParts(
            new Date(5e11),
          ),
        () => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).formatRange(0, 1e11),
        () => resolved(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options })),
      ]),
    ),
    () =>
      new Date(0).toLocaleDateString('en-US', { timeZone: 'Pacific/Auckland', dateStyle: 'long' }),
    () => new Date(Number.NaN).toLocaleString(),
    () => new Intl.DateTimeFormat().format(Number.NaN),
    () => new Intl.DateTimeFormat('en', { timeZone: 'Mars/Base' }),
    () => new Intl.DateTimeFormat('en', any({ dateStyle: 'nope' })),
    () => new Intl.NumberFormat('en', { style: 'currency' }),
    () => new Intl.NumberFormat('en', { maximumFractionDigits: 500 }),
    () => new Intl.NumberFormat('not a locale!'),
    () => nameOf(() => new Intl.NumberFormat(any(null))),
    () => nameOf(() => new Intl.NumberFormat('en', any(null))),
    () => new Intl.NumberFormat('de').format(any('abc')),
    () => Intl.NumberFormat('de').format(1.5),
    () => (Intl.PluralRules as unknown as (locale: string) => unknown)('de'),
    () => [1, 2, 3].map(new Intl.NumberFormat('de', { minimumFractionDigits: 1 }).format),
    ...['en', 'de', 'sv', 'de-u-co-phonebk'].flatMap((locale) => [
      () => [...WORDS].sort(new Intl.Collator(locale).compare),
      () => [...WORDS].sort((a, b) => a.localeCompare(b, locale)),
      () =>
        [...WORDS].sort(
          new Intl.Collator(locale, {
            numeric: true,
            sensitivity: 'base',
            caseFirst: 'upper',
            ignorePunctuation: true,
          }).compare,
        ),
      () => resolved(new Intl.Collator(locale)),
    ]),
    () => [...WORDS].sort((a, b) => a.localeCompare(b)),
    () => 'a'.localeCompare('b', 'not valid!'),
    () => 'a'.localeCompare('A', undefined, { sensitivity: 'accent' }),
    ...['en', 'ar', 'ru', 'ja'].flatMap((locale) =>
      [0, 1, 2, 5, 1.5, 21].map((n) => () => [
        new Intl.PluralRules(locale).select(n),
        new Intl.PluralRules(locale, { type: 'ordinal' }).select(n),
      ]),
    ),
    () => (new Intl.PluralRules('en') as any).selectRange(1, 2),
    ...['en', 'de', 'es'].flatMap((locale) => [
      () => new Intl.ListFormat(locale, { type: 'disjunction' }).format(['a', 'b', 'i']),
      () => new Intl.ListFormat(locale).formatToParts(new Set(['x', 'y'])),
      () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-1, 'day'),
      () => new Intl.RelativeTimeFormat(locale).formatToParts(3, 'quarters'),
      () => new Intl.DisplayNames(locale, { type: 'region' }).of('US'),
      () => new Intl.DisplayNames(locale, { type: 'currency' }).of('JPY'),
      () => new Intl.DisplayNames(locale, { type: 'language', fallback: 'none' }).of('xx-YY'),
      () => [
        ...new Intl.Segmenter(locale, { granularity: 'word' }).segment(
          'Hello, schöne Welt! 👩‍👩‍👧 𝄞',
        ),
      ],
      () =>
        [...new Intl.Segmenter(locale).segment('é👩‍👩‍👧')].map(({ segment, index }) => [
          segment,
          index,
        ]),
    ]),
    () => new Intl.ListFormat('en').format(any([1])),
    () => new Intl.RelativeTimeFormat('en').format(1, any('nope')),
    () => nameOf(() => new Intl.DisplayNames('en', any(undefined))),
    () => new Intl.Segmenter('en', { granularity: 'sentence' }).segment('One. Two.').containing(6),
    () => new Intl.Segmenter('en').segment('abc').containing(9),
    () => {
      const l = new Intl.Locale('en-latn-us-u-ca-gregory-hc-h23', { numberingSystem: 'latn' })
      return [
        l.toString(),
        l.language,
        l.script,
        l.region,
        l.calendar,
        l.hourCycle,
        l.numberingSystem,
        l.baseName,
        l.caseFirst,
      ]
    },
    () => [
      new Intl.Locale('zh').maximize().toString(),
      new Intl.Locale('zh-Hans-CN').minimize().toString(),
    ],
    () => new Intl.Locale('x'),
    () => new Intl.NumberFormat(new Intl.Locale('de') as any).format(1.5),
    () => Intl.getCanonicalLocales(['EN-us', 'de-latn-de', 'EN-US']),
    () => Intl.getCanonicalLocales('!'),
    () =>
      Intl.supportedValuesOf('currency').includes('EUR') &&
      Intl.supportedValuesOf('timeZone').includes('Europe/Berlin'),
    () => Intl.supportedValuesOf(any('x')),
    () => Intl.NumberFormat.supportedLocalesOf(['de', 'xx', 'en-US-x-foo']),
    () => [
      'ıIiİ'.toLocaleUpperCase('tr'),
      'Iİ'.toLocaleLowerCase('tr'),
      'ß'.toLocaleUpperCase(),
      'ŠĄ'.toLocaleLowerCase('lt'),
    ],
    () => 'a'.toLocaleUpperCase('bad locale'),
    () => [1234.5, new Date(0), 'x', null, [1e6]].toLocaleString('de', { timeZone: 'UTC' }),
    () => new Float64Array([1234.5, 2]).toLocaleString('de'),
    ...['NFC', 'NFD', 'NFKC', 'NFKD', undefined].map(
      (form) => () =>
        ['é', 'e\u0301', 'ﬁ', '가', 'ﷺ', '\u1e9b\u0323', '①'].map((text) => text.normalize(form)),
    ),
    () => Object.prototype.toString.call(new Intl.NumberFormat()),
    () => [Intl.NumberFormat.name, Intl.NumberFormat.length, typeof Intl, String(Intl)],
    () => Intl.DateTimeFormat('en', { timeZone: 'UTC' }).resolvedOptions().timeZone,
  ])
