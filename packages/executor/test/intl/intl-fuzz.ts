/** A sequence of numbers that is the same on both sides. */
function dice(seed: number) {
  let state = seed
  return (sides: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const LOCALES = [
  ...['en-US', 'en-GB', 'en-IN', 'de', 'de-AT', 'de-CH', 'fr', 'fr-CA', 'es', 'pt-BR', 'it', 'nl'],
  ...['pl', 'cs', 'ru', 'uk', 'tr', 'el', 'he', 'ar', 'ar-EG', 'fa', 'hi', 'bn', 'th', 'vi', 'id'],
  ...['ja', 'ja-JP-u-ca-japanese', 'zh', 'zh-Hant', 'ko', 'sv', 'fi', 'da', 'nb', 'hu', 'lt', 'lv'],
  ...[
    'th-u-nu-thai',
    'de-u-co-phonebk',
    'en-u-hc-h12',
    'ar-u-nu-latn',
    'und',
    'xx-invalid-tag',
    'sr-Latn',
  ],
]
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Pacific/Apia',
  '+03:30',
  'No/Where',
]
const TEXTS = [
  'ä',
  'a',
  'Z',
  'z',
  'ß',
  'ss',
  'İ',
  'i',
  'ı',
  'I',
  '10',
  '9',
  'café',
  'cafe\u0301',
  '日本',
  'ﬁ',
  '',
  '\ud800',
  'ǆ',
  '각',
  '\u1112\u1161\u11ab',
]
const NUMBERS = [
  0,
  -0,
  1,
  2,
  3,
  5,
  11,
  21,
  1.5,
  -1234.567,
  0.000123,
  1e21,
  123456789,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2n ** 70n,
  -5n,
]
const DATES = [0, 1e12, -1e12, 1_709_210_000_000, 8.64e15, Number.NaN, -62_198_755_200_000]

/** Each kind of object: the options that it may be given, right and wrong. */
const OPTIONS: Record<string, Record<string, readonly unknown[]>> = {
  NumberFormat: {
    style: ['decimal', 'percent', 'currency', 'unit', 'wrong'],
    currency: ['EUR', 'JPY', 'usd', 'toolong'],
    currencyDisplay: ['symbol', 'code', 'name', 'narrowSymbol'],
    currencySign: ['accounting', 'standard'],
    unit: ['kilometer-per-hour', 'liter', 'byte', 'wrong'],
    unitDisplay: ['short', 'long', 'narrow'],
    notation: ['standard', 'scientific', 'engineering', 'compact'],
    compactDisplay: ['short', 'long'],
    signDisplay: ['auto', 'always', 'never', 'exceptZero', 'negative'],
    useGrouping: [true, false, 'always', 'min2'],
    minimumIntegerDigits: [1, 5, 22],
    minimumFractionDigits: [0, 3, 101],
    maximumFractionDigits: [0, 2, 20],
    maximumSignificantDigits: [1, 3],
    roundingMode: ['ceil', 'halfEven', 'trunc'],
    roundingIncrement: [1, 5, 7],
    trailingZeroDisplay: ['auto', 'stripIfInteger'],
    numberingSystem: ['latn', 'arab', 'deva'],
  },
  DateTimeFormat: {
    dateStyle: ['full', 'long', 'medium', 'short'],
    timeStyle: ['full', 'short'],
    weekday: ['long', 'narrow'],
    era: ['short'],
    year: ['numeric', '2-digit'],
    month: ['long', 'short', 'narrow', '2-digit', 'wrong'],
    day: ['numeric', '2-digit'],
    dayPeriod: ['long'],
    hour: ['numeric', '2-digit'],
    minute: ['2-digit'],
    fractionalSecondDigits: [1, 3, 4],
    timeZoneName: ['short', 'long', 'shortOffset', 'longGeneric'],
    timeZone: ZONES,
    hour12: [true, false],
    hourCycle: ['h11', 'h24'],
    calendar: ['buddhist', 'islamic-civil', 'hebrew', 'chinese'],
  },
  Collator: {
    usage: ['sort', 'search'],
    sensitivity: ['base', 'accent', 'case', 'variant', 'wrong'],
    ignorePunctuation: [true],
    numeric: [true, false],
    caseFirst: ['upper', 'lower', 'false'],
  },
  PluralRules: {
    type: ['cardinal', 'ordinal'],
    minimumFractionDigits: [0, 2],
    maximumSignificantDigits: [2],
  },
  ListFormat: { type: ['conjunction', 'disjunction', 'unit'], style: ['long', 'short', 'narrow'] },
  RelativeTimeFormat: { numeric: ['auto', 'always'], style: ['long', 'short', 'narrow'] },
  DisplayNames: {
    type: ['language', 'region', 'script', 'currency', 'calendar', 'dateTimeField'],
    style: ['long', 'short', 'narrow'],
    fallback: ['code', 'none'],
    languageDisplay: ['dialect', 'standard'],
  },
  Segmenter: { granularity: ['grapheme', 'word', 'sentence', 'wrong'] },
}

type Made = Record<string, (...args: unknown[]) => unknown>

/** What random locales, options and values give in each of the kinds: the same sequence for the same seed. */
export default function intlFuzz({ seed, rounds }: { seed: number; rounds: number }): unknown[] {
  const roll = dice(seed)
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!
  const outcome = (run: () => unknown): unknown => {
    try {
      return run()
    } catch (error) {
      return `${(error as Error).name}`
    }
  }
  const uses: Record<string, (made: Made) => unknown> = {
    NumberFormat: (made) => {
      const [one, two] = [pick(NUMBERS), pick(NUMBERS)]
      return [
        made.format!(one),
        made.formatToParts!(one),
        outcome(() => made.formatRange!(one, two)),
      ]
    },
    DateTimeFormat: (made) => {
      const [one, two] = [pick(DATES), pick(DATES)]
      return [
        outcome(() => made.format!(one)),
        outcome(() => made.formatToParts!(new Date(one))),
        outcome(() => made.formatRange!(one, two)),
      ]
    },
    Collator: (made) => {
      const texts = Array.from({ length: 6 }, () => pick(TEXTS))
      return texts.sort(made.compare as (a: string, b: string) => number)
    },
    PluralRules: (made) => [
      made.select!(pick(NUMBERS.filter((n) => typeof n === 'number'))),
      outcome(() => made.selectRange!(1, pick(NUMBERS))),
    ],
    ListFormat: (made) => {
      const texts = Array.from({ length: roll(4) }, () => pick(TEXTS))
      return [made.format!(texts), made.formatToParts!(texts)]
    },
    RelativeTimeFormat: (made) => {
      const unit = pick(['second', 'days', 'quarter', 'year', 'wrong'])
      const value = pick([0, -0, 1, -1, 2.5, 1000, Number.NaN])
      return [
        outcome(() => made.format!(value, unit)),
        outcome(() => made.formatToParts!(value, unit)),
      ]
    },
    DisplayNames: (made) =>
      outcome(() =>
        made.of!(pick(['de', 'DE', 'Latn', 'EUR', 'gregory', 'year', 'zh-Hant-TW', '!!'])),
      ),
    Segmenter: (made) =>
      [
        ...(made.segment!(
          `${pick(TEXTS)}${pick(TEXTS)} Hello, wörld. 👩‍👩‍👧 次`,
        ) as Iterable<object>),
      ].map((part) => ({ ...part, input: undefined })),
  }
  const results: unknown[] = []
  for (let round = 0; round < rounds; round++) {
    const kind = pick(Object.keys(OPTIONS))
    const locales = pick([pick(LOCALES), [pick(LOCALES), pick(LOCALES)], undefined])
    const options: Record<string, unknown> = {}
    for (const name of Object.keys(OPTIONS[kind]!)) {
      const isNeeded = kind === 'DisplayNames' && name === 'type'
      if (isNeeded || roll(4) === 0) options[name] = pick(OPTIONS[kind]![name]!)
    }
    const result = outcome(() => {
      const Kind = (Intl as unknown as Record<string, new (...args: unknown[]) => Made>)[kind]!
      const made = new Kind(locales, options)
      return [made.resolvedOptions!(), uses[kind]!(made)]
    })
    const [text, other, number, date] = [pick(TEXTS), pick(TEXTS), pick(NUMBERS), pick(DATES)]
    const methods = outcome(() => [
      text.localeCompare(other, locales as string),
      text.toLocaleUpperCase(locales as string),
      text.toLocaleLowerCase(locales as string),
      [number, 1.5].toLocaleString(locales as string),
      outcome(() =>
        number.toLocaleString(locales as string, kind === 'NumberFormat' ? options : {}),
      ),
      ...['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'].map((method) =>
        outcome(() =>
          (new Date(date) as unknown as Made)[method]!(
            locales,
            kind === 'DateTimeFormat' ? options : {},
          ),
        ),
      ),
    ])
    const forms = ['NFC', 'NFD', 'NFKC', 'NFKD', 'wrong'].map((form) =>
      outcome(() => (text + other).normalize(form)),
    )
    results.push([kind, locales ?? null, options, result, methods, forms])
  }
  return JSON.parse(
    JSON.stringify(results, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  )
}
