import { LRUCache } from 'lru-cache'
import { BASE_UNITS, copyUnits } from '../native-price.js'
import type { NativeArgument, NativeService, NativeWork } from '../native-service.js'
import { DEFAULT_LOCALE, formatDate, INTL_KINDS, knownLocales } from './intl-kinds.js'
import { describeLocale } from './intl-locale.js'
import { readLocales, readRecord, readValue } from './intl-values.js'

/** Longest list of locales with options, in UTF-16 code units. */
const MAX_SPEC_LENGTH = 8 * 1024
/** Instances that one thread keeps for its guests. ICU holds some ten kilobytes for each. */
const MAX_INSTANCES = 200
/** Reading, comparing or cutting up a text: one UTF-16 code unit of it, in units. */
const UNITS_PER_CHARACTER = 0.05
const SEGMENT_UNITS_PER_CHARACTER = 1
/** Bytes of an answer for each character that went in: segments and parts are objects. */
const ANSWER_BYTES_PER_CHARACTER = 100
const ANSWER_BYTES = 16 * 1024

const instances = new LRUCache<string, object>({ max: MAX_INSTANCES })

interface Spec {
  locales: string | string[]
  options: Record<string, unknown>
}

function textOf(value: NativeArgument, what: string): string {
  if (typeof value === 'string') return value
  throw new TypeError(`Expected ${what} as text`)
}

function readSpec(text: string): Spec {
  if (text.length > MAX_SPEC_LENGTH) {
    throw new RangeError(`Expected locales and options of at most ${MAX_SPEC_LENGTH} characters`)
  }
  const { locales, options = {} } = readRecord(text)
  return { locales: readLocales(locales), options: readRecord(JSON.stringify(options)) }
}

function work(what: string, characters: number, units: number, run: () => unknown): NativeWork {
  return {
    what,
    units: copyUnits(characters * 2) + units,
    outputBytes: ANSWER_BYTES + characters * ANSWER_BYTES_PER_CHARACTER,
    run: () => JSON.stringify(run() ?? null),
  }
}

/**
 * `(kind, spec, method, arguments)`: calls a method of an instance that the host keeps by its locales and options; without a
 * method it is only made.
 */
const call: NativeService = ([kindName, specText, method, argsText]) => {
  const name = textOf(kindName, 'the class')
  const kind = Object.hasOwn(INTL_KINDS, name) ? INTL_KINDS[name]! : undefined
  if (!kind) throw new TypeError(`Intl has no ${name}`)
  const spec = textOf(specText, 'the options')
  const key = `${name} ${spec}`
  const known = instances.get(key)
  const instance = () => {
    if (known) return known
    const { locales, options } = readSpec(spec)
    const made = kind.create(locales, options)
    instances.set(key, made)
    return made
  }
  const createUnits = known ? 0 : kind.createUnits
  if (method === undefined) {
    return work(`Intl.${name}`, spec.length, createUnits, () => void instance())
  }
  const methodName = textOf(method, 'the method')
  if (!kind.methods.includes(methodName)) throw new TypeError(`Intl.${name} has no ${methodName}`)
  const args = textOf(argsText, 'the arguments')
  const perCharacter = methodName === 'segment' ? SEGMENT_UNITS_PER_CHARACTER : UNITS_PER_CHARACTER
  const units = createUnits + kind.callUnits + args.length * perCharacter
  return work(`Intl.${name}.${methodName}`, args.length, units, () => {
    const values = (JSON.parse(args) as unknown[]).map(readValue)
    const made = instance() as Record<string, (...values: unknown[]) => unknown>
    const result = made[methodName]!(...values)
    if (methodName === 'segment') return [...(result as Iterable<unknown>)]
    if (methodName !== 'resolvedOptions' || !kind.usesDefault(readSpec(spec).locales)) return result
    // ICU says `en` of some classes when it is asked for the default by its name.
    return { ...(result as object), locale: DEFAULT_LOCALE }
  })
}

/** `(method, spec, time)`: `toLocaleString` and its kin of a date. */
const date: NativeService = ([method, spec, time]) => {
  const text = textOf(spec, 'the options')
  return work('Date.toLocaleString', text.length, 1000, () => {
    const { locales, options } = readSpec(text)
    return formatDate(String(method), Number(time), locales, options)
  })
}

/** `(method, spec, json)`: a text in the capitals of a language. As JSON it keeps half of a surrogate pair. */
const changeCase: NativeService = ([method, spec, value]) => {
  const json = textOf(value, 'the text')
  return work('String.toLocaleUpperCase', json.length, json.length * UNITS_PER_CHARACTER, () => {
    const text = textOf(JSON.parse(json), 'the text')
    const { locales } = readSpec(textOf(spec, 'the options'))
    const known = knownLocales(Intl.Collator, locales)
    return method === 'upper' ? text.toLocaleUpperCase(known) : text.toLocaleLowerCase(known)
  })
}

/** `(method, spec)`: what `Intl` itself answers. */
const about: NativeService = ([method, spec, name]) => {
  const text = textOf(spec, 'the options')
  return work(`Intl.${String(method)}`, text.length, BASE_UNITS + 500, () => {
    const { locales, options } = readSpec(text)
    if (method === 'getCanonicalLocales') return Intl.getCanonicalLocales(locales)
    if (method === 'supportedValuesOf') {
      return Intl.supportedValuesOf(String(options.key) as 'calendar')
    }
    if (method === 'supportedLocalesOf' && Object.hasOwn(INTL_KINDS, String(name))) {
      const Class = (Intl as unknown as Record<string, typeof Intl.NumberFormat>)[String(name)]!
      return Class.supportedLocalesOf(locales, options as never)
    }
    if (method === 'locale') return describeLocale(String(locales), options)
    throw new TypeError(`Intl has no ${String(method)}`)
  })
}

/** What the host's ICU does for guests. */
export const INTL_SERVICES: readonly (readonly [name: string, service: NativeService])[] = [
  ['intl.call', call],
  ['intl.date', date],
  ['intl.case', changeCase],
  ['intl.about', about],
]
