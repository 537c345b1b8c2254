import type { GuestKit, PartExports } from '../platform/kit.js'

/**
 * Installs `Intl` and the methods that go by a locale. An instance in the guest is its locales and options as text; the host
 * keeps the instance that they name, and does the work.
 *
 * The guest gets the source of this function: it may use nothing but its argument and globals.
 */
export function installIntl(kit: GuestKit): PartExports['intl'] {
  const { parse, stringify } = JSON
  const { isArray } = Array
  const { defineProperty } = Object
  const { now } = Date
  /** Not `String`, which takes symbols. */
  const toText = (value: unknown): string => `${value}`
  const host = kit.host
  type Options = Record<string, unknown>

  const hidden = (target: object, name: PropertyKey, value: unknown): void => {
    defineProperty(target, name, { value, writable: true, configurable: true })
  }
  const ask = (service: string, ...args: (string | number | undefined)[]): unknown =>
    parse(host.now(service, ...args) as string)

  const localeTexts = new WeakMap<object, string>()
  const textOfLocale = (locale: unknown): string => {
    if (typeof locale === 'string') return locale
    if (typeof locale !== 'object' || locale === null) {
      throw new TypeError(`Incorrect locale information provided`)
    }
    return localeTexts.get(locale) ?? toText(locale)
  }
  const localesOf = (locales: unknown): string | string[] | undefined => {
    if (locales === undefined) return undefined
    if (locales === null) throw new TypeError('Cannot convert undefined or null to object')
    if (typeof locales === 'string' || localeTexts.has(locales as object)) {
      return textOfLocale(locales)
    }
    const list: string[] = []
    const { length } = locales as ArrayLike<unknown>
    for (let i = 0; i < length; i++) list[i] = textOfLocale((locales as ArrayLike<unknown>)[i])
    return list
  }
  const optionsOf = (options: unknown): Options => {
    if (options === undefined) return {}
    if (options === null) throw new TypeError('Cannot convert undefined or null to object')
    const plain: Options = {}
    for (const name in options as Options) {
      const value = (options as Options)[name]
      const isPlain = typeof value === 'number' || typeof value === 'boolean' || value === undefined
      plain[name] = isPlain ? value : toText(value)
    }
    return plain
  }
  const specOf = (locales: unknown, options: unknown): string =>
    stringify({ locales: localesOf(locales), options: optionsOf(options) })

  /** What JSON has not is a pair of its kind and its text. */
  const written = (value: unknown): unknown => {
    if (typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number')
      return value - value === 0 && (value !== 0 || 1 / value > 0)
        ? value
        : ['n', value === 0 ? '-0' : toText(value)]
    if (typeof value === 'bigint') return ['b', toText(value)]
    if (isArray(value)) return ['l', value]
    return ['u']
  }
  const specs = new WeakMap<object, string>()
  const call = (kind: string, self: object, method: string, ...values: unknown[]): unknown => {
    const spec = specs.get(self)
    if (spec === undefined) {
      throw new TypeError(`Method Intl.${kind}.prototype.${method} called on incompatible receiver`)
    }
    return ask('intl.call', kind, spec, method, stringify(values.map(written)))
  }
  const toNumeric = (value: unknown): unknown => {
    if (typeof value === 'bigint' || typeof value === 'string') return value
    const primitive =
      typeof value === 'object' && value !== null
        ? (value as { valueOf(): unknown }).valueOf()
        : value
    return typeof primitive === 'bigint' || typeof primitive === 'string'
      ? primitive
      : +(primitive as number)
  }
  const toTime = (value: unknown): unknown => (value === undefined ? now() : +(value as number))
  const toTimeOfRange = (value: unknown): unknown => {
    if (value === undefined) throw new TypeError('startDate or endDate cannot be undefined')
    return +(value as number)
  }
  const toList = (value: unknown): string[] => {
    if (value === undefined) return []
    const list: string[] = []
    for (const item of value as Iterable<unknown>) {
      if (typeof item !== 'string')
        throw new TypeError(`Iterable yielded ${toText(item)} which is not a string`)
      list[list.length] = item
    }
    return list
  }
  type Convert = (...values: unknown[]) => unknown[]
  const each =
    (convert: (value: unknown) => unknown): Convert =>
    (...values) =>
      values.map((value) => convert(value))
  /** How the arguments of each method are read; `bound` methods are getters of a function without `this`. */
  interface Shape {
    methods: Record<string, [count: number, Convert]>
    bound?: string
    needsNew?: boolean
  }
  const numeric = each(toNumeric)
  const ranges = (one: Convert, two: Convert): Shape['methods'] => ({
    format: [1, one],
    formatToParts: [1, one],
    formatRange: [2, two],
    formatRangeToParts: [2, two],
  })
  const list: Shape['methods'] = {
    format: [1, each(toList)],
    formatToParts: [1, each(toList)],
  }
  const relative: Convert = (value, unit) => [+(value as number), toText(unit)]
  const SHAPES: Record<string, Shape> = {
    Collator: { methods: { compare: [2, each(toText)] }, bound: 'compare' },
    DateTimeFormat: { methods: ranges(each(toTime), each(toTimeOfRange)), bound: 'format' },
    DisplayNames: { methods: { of: [1, each(toText)] }, needsNew: true },
    ListFormat: { methods: list, needsNew: true },
    NumberFormat: { methods: ranges(numeric, numeric), bound: 'format' },
    PluralRules: {
      methods: {
        select: [1, each((value) => +(value as number))],
        selectRange: [2, each((value) => +(value as number))],
      },
      needsNew: true,
    },
    RelativeTimeFormat: {
      methods: { format: [2, relative], formatToParts: [2, relative] },
      needsNew: true,
    },
  }

  const intl: Record<string, unknown> = {}
  const classOf = (kind: string, { methods, bound, needsNew }: Shape): unknown => {
    const make = (self: object, locales: unknown, options: unknown): object => {
      if (kind === 'DisplayNames' && options === undefined) {
        throw new TypeError('Cannot convert undefined or null to object')
      }
      const spec = specOf(locales, options)
      ask('intl.call', kind, spec)
      specs.set(self, spec)
      return self
    }
    const Made = function (this: unknown, locales?: unknown, options?: unknown) {
      if (new.target) return make(this as object, locales, options)
      if (needsNew) throw new TypeError(`Constructor Intl.${kind} requires 'new'`)
      return make(Object.create(Made.prototype), locales, options)
    } as unknown as { prototype: object }
    hidden(Made, 'length', 0)
    for (const name in methods) {
      const [count, convert] = methods[name]!
      const run = (self: object, values: unknown[]): unknown => {
        values.length = count
        const converted = convert(...values)
        if (kind === 'Collator' && converted[0] === converted[1]) return 0
        const answer = call(kind, self, name, ...converted)
        return answer === null ? undefined : answer
      }
      if (name !== bound) {
        hidden(
          Made.prototype,
          name,
          {
            [name](this: object, ...values: unknown[]) {
              return run(this, values)
            },
          }[name],
        )
        continue
      }
      const functions = new WeakMap<object, unknown>()
      defineProperty(Made.prototype, name, {
        get(this: object) {
          let made = functions.get(this)
          if (made === undefined) {
            made = (...values: unknown[]) => run(this, values)
            functions.set(this, made)
          }
          return made
        },
        configurable: true,
      })
    }
    hidden(Made.prototype, 'resolvedOptions', function resolvedOptions(this: object) {
      return call(kind, this, 'resolvedOptions')
    })
    return finishClass(kind, Made)
  }
  const finishClass = (kind: string, Made: { prototype: object }): unknown => {
    hidden(
      Made,
      'supportedLocalesOf',
      function supportedLocalesOf(locales?: unknown, options?: unknown) {
        return ask('intl.about', 'supportedLocalesOf', specOf(locales, options), kind)
      },
    )
    defineProperty(Made, 'name', { value: kind, configurable: true })
    defineProperty(Made.prototype, Symbol.toStringTag, {
      value: `Intl.${kind}`,
      configurable: true,
    })
    hidden(intl, kind, Made)
    return Made
  }
  for (const kind in SHAPES) classOf(kind, SHAPES[kind]!)

  interface Segment {
    segment: string
    index: number
    isWordLike?: boolean
    input: string
  }
  class Segmenter {
    constructor(locales?: unknown, options?: unknown) {
      const spec = specOf(locales, options)
      ask('intl.call', 'Segmenter', spec)
      specs.set(this, spec)
    }
    segment(value: unknown) {
      const input = toText(value)
      const segments = call('Segmenter', this, 'segment', input) as Segment[]
      for (let i = 0; i < segments.length; i++) segments[i]!.input = input
      return {
        containing(index?: unknown) {
          const at = Math.trunc(+(index as number)) || 0
          if (at < 0 || at >= input.length) return undefined
          return segments.findLast((segment) => segment.index <= at)
        },
        [Symbol.iterator]: () => segments.map((segment) => ({ ...segment })).values(),
      }
    }
    resolvedOptions() {
      return call('Segmenter', this, 'resolvedOptions')
    }
  }
  finishClass('Segmenter', Segmenter)

  type Facts = Record<string, unknown> & { text: string }
  const facts = new WeakMap<object, Facts>()
  class Locale {
    constructor(tag?: unknown, options?: unknown) {
      if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) {
        throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing")
      }
      const found = ask('intl.about', 'locale', specOf(textOfLocale(tag), options)) as Facts
      facts.set(this, found)
      localeTexts.set(this, found.text)
    }
    maximize() {
      return new Locale(facts.get(this)!.maximized)
    }
    minimize() {
      return new Locale(facts.get(this)!.minimized)
    }
    toString() {
      return facts.get(this)!.text
    }
  }
  for (const name of [
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
    'calendars',
    'collations',
    'hourCycles',
    'numberingSystems',
    'textInfo',
    'timeZones',
    'weekInfo',
  ]) {
    const read = function (this: object) {
      return facts.get(this)![name]
    }
    defineProperty(Locale.prototype, name, { get: read, configurable: true })
    const method = `get${name[0]!.toUpperCase()}${name.slice(1)}`
    if (name.endsWith('s') || name.endsWith('Info')) hidden(Locale.prototype, method, read)
  }
  defineProperty(Locale, 'name', { value: 'Locale', configurable: true })
  defineProperty(Locale.prototype, Symbol.toStringTag, { value: 'Intl.Locale', configurable: true })
  hidden(intl, 'Locale', Locale)

  hidden(intl, 'getCanonicalLocales', function getCanonicalLocales(locales?: unknown) {
    return ask('intl.about', 'getCanonicalLocales', specOf(locales, undefined))
  })
  hidden(intl, 'supportedValuesOf', function supportedValuesOf(key: unknown) {
    return ask('intl.about', 'supportedValuesOf', specOf(undefined, { key: toText(key) }))
  })
  defineProperty(intl, Symbol.toStringTag, { value: 'Intl', configurable: true })
  hidden(globalThis, 'Intl', intl)

  const once = (
    kind: string,
    locales: unknown,
    options: unknown,
    method: string,
    ...values: unknown[]
  ): unknown =>
    ask('intl.call', kind, specOf(locales, options), method, stringify(values.map(written)))
  const plainTime = Date.prototype.getTime
  const methodsOf = (
    prototype: object,
    methods: Record<string, (this: never, ...args: never[]) => unknown>,
  ) => {
    for (const name in methods) hidden(prototype, name, methods[name])
  }
  methodsOf(String.prototype, {
    localeCompare(this: unknown, other: unknown, locales?: unknown, options?: unknown) {
      const text = toText(this)
      const compared = toText(other)
      return text === compared && locales === undefined
        ? 0
        : once('Collator', locales, options, 'compare', text, compared)
    },
    toLocaleUpperCase(this: unknown, locales?: unknown) {
      const text = toText(this)
      return locales === undefined
        ? text.toUpperCase()
        : ask('intl.case', 'upper', specOf(locales, undefined), stringify(text))
    },
    toLocaleLowerCase(this: unknown, locales?: unknown) {
      const text = toText(this)
      return locales === undefined
        ? text.toLowerCase()
        : ask('intl.case', 'lower', specOf(locales, undefined), stringify(text))
    },
  })
  const number = {
    toLocaleString(this: { valueOf(): unknown }, locales?: unknown, options?: unknown) {
      return once('NumberFormat', locales, options, 'format', this.valueOf())
    },
  }
  methodsOf(Number.prototype, number as never)
  methodsOf(BigInt.prototype, number as never)
  const dateMethod = (method: string) =>
    function (this: Date, locales?: unknown, options?: unknown) {
      const time = plainTime.call(this)
      return time - time === 0
        ? ask('intl.date', method, specOf(locales, options), time)
        : 'Invalid Date'
    }
  for (const method of ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']) {
    const made = dateMethod(method)
    defineProperty(made, 'name', { value: method, configurable: true })
    hidden(Date.prototype, method, made)
  }
  const listMethod = {
    toLocaleString(this: ArrayLike<unknown>, locales?: unknown, options?: unknown) {
      let text = ''
      for (let i = 0; i < this.length; i++) {
        const item = this[i]
        if (i > 0) text += ','
        if (item === undefined || item === null) continue
        text += toText(
          (item as { toLocaleString(...args: unknown[]): unknown }).toLocaleString(
            locales,
            options,
          ),
        )
      }
      return text
    },
  }
  methodsOf(Array.prototype, listMethod as never)
  methodsOf(Object.getPrototypeOf(Uint8Array.prototype), listMethod as never)
  return undefined
}
