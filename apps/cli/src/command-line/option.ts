import { UsageError } from './usage-error.js'

/** One option of a command: help, completion and parsing all read it. */
export interface Option<Value = unknown> {
  /** What it is for, as help shows it. */
  readonly description: string
  /** What stands for its value in help, such as `<file>`; a flag has none. */
  readonly value?: string
  /** The letter of its short form. */
  readonly short?: string
  /** Whether it may be given several times. */
  readonly multiple?: boolean
  /** The values it may have, where these are few. */
  readonly words?: readonly string[]
  /** Its value, from every text that it was given; a flag is given an empty text. */
  read(name: string, texts: readonly string[]): Value
}

/** The options of a command, by name. */
export type OptionSet = Readonly<Record<string, Option>>

/** What the options of a set read. */
export type Values<Options extends OptionSet> = {
  [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never
}

/** An option without a value: given or not. */
export function flag(description: string, short?: string): Option<boolean> {
  const read = (_name: string, texts: readonly string[]) => texts.length > 0
  return { description, ...(short === undefined ? {} : { short }), read }
}

/** An option whose value `parse` reads; undefined where it is not given. */
export function option<Value>(
  value: string,
  description: string,
  parse: (name: string, text: string) => Value,
): Option<Value | undefined> {
  const read = (name: string, texts: readonly string[]) => {
    const text = texts.at(-1)
    return text === undefined ? undefined : parse(name, text)
  }
  return { description, value, read }
}

/** An option whose value is any text. */
export function text(value: string, description: string): Option<string | undefined> {
  return option(value, description, (_name, given) => given)
}

/** The same, which may be given several times. */
export function list<Item>(
  value: string,
  description: string,
  parse: (name: string, text: string) => Item,
): Option<readonly Item[]> {
  const read = (name: string, texts: readonly string[]) => texts.map((given) => parse(name, given))
  return { description, value, multiple: true, read }
}

/** A whole number within bounds, both included. */
export function count(
  value: string,
  description: string,
  bounds: { min: number; max: number },
): Option<number | undefined>
export function count(
  value: string,
  description: string,
  bounds: { min: number; max: number; fallback: number },
): Option<number>
export function count(
  value: string,
  description: string,
  { min, max, fallback }: { min: number; max: number; fallback?: number },
): Option<number | undefined> {
  const parsed = option(value, description, (name, given) => parseCount(name, given, min, max))
  return { ...parsed, read: (name, texts) => parsed.read(name, texts) ?? fallback }
}

/** One of a few words; the first where it is not given. */
export function choice<const Word extends string>(
  value: string,
  description: string,
  words: readonly [Word, ...Word[]],
): Option<Word> {
  const read = (name: string, texts: readonly string[]) => {
    const given = texts.at(-1) ?? words[0]
    const word = words.find((known) => known === given)
    if (word !== undefined) return word
    throw new UsageError(`${name}: expected ${words.join(' or ')}, got "${given}"`)
  }
  return { description, value, words, read }
}

function parseCount(name: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new UsageError(`${name}: expected a whole number from ${min} to ${max}, got "${text}"`)
  }
  return number
}
