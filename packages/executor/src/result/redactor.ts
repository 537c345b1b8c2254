import { GUEST_TEXT_LENGTH } from '../guest/protocol.js'
import { CUT_MARK } from './clip-text.js'

/** Shorter values, and shorter parts of a value that was cut, would be found everywhere. */
const SHORTEST = 4
/** A shorter value in small letters may be an ordinary word. */
const SHORTEST_IN_SMALL_LETTERS = 8
/** A shorter line of a value, such as `true,`, may stand anywhere. */
const SHORTEST_LINE = 8
/**
 * Where nothing was cut, so long a beginning of a value is still no accident: the engine shows the first 63 bytes of a name in
 * its errors, and of other values pieces of other lengths.
 */
const SHORTEST_BEGINNING = 16
/** A host is written in other letters (Punycode) where it has such characters. */
const NOT_ASCII = /[^\0-\x7f]/
const BEYOND_HOST = /[/?#@:\\]/
/** How the engine's JSON parser shows a piece of the text that it could not read (QuickJS-NG 0.11). */
const SHOWN_TOKEN = /(?<=unexpected token: ')[^\n]+(?=')/g

interface Hidden {
  readonly value: string
  readonly placeholder: string
  /** For each length of a beginning of `value`, the longest shorter beginning that it ends with. */
  readonly borders: readonly number[]
}

/** Takes secrets out of a text that people read. */
export type Redact = (text: string) => string

/**
 * Takes the values of secrets out of texts: each becomes `[secret NAME]`, also as it stands inside JSON and in a URL, the piece
 * of it that an error of `JSON.parse` shows, and its beginning where a text was cut.
 *
 * Run this before a text is cut: half a value is not found.
 */
export function redactor(secrets: Readonly<Record<string, string>> | undefined): Redact {
  const long = Object.entries(secrets ?? {}).filter(([, value]) => value.length >= SHORTEST)
  if (long.length === 0) return (text) => text
  let forms: readonly Hidden[] | undefined
  return (text) => {
    // Most calls have no text to look through.
    forms ??= hiddenForms(long)
    const hidden = forms
    // The guest cuts its texts itself, without a mark.
    const endIsCut = text.length >= GUEST_TEXT_LENGTH
    const whole = hidden
      .reduce((left, { value, placeholder }) => left.replaceAll(value, placeholder), text)
      .replace(SHOWN_TOKEN, (token) => {
        if (token.length < SHORTEST) return token
        return hidden.find(({ value }) => value.includes(token))?.placeholder ?? token
      })
    const isCut = endIsCut || whole.includes(CUT_MARK)
    const suspects = isCut ? hidden : hidden.filter((secret) => hasBeginning(whole, secret))
    return suspects.length === 0 ? whole : withoutBeginnings(whole, suspects, endIsCut)
  }
}

function hiddenForms(secrets: readonly [name: string, value: string][]): Hidden[] {
  return (
    secrets
      .flatMap(([name, value]) => formsOf(value).map((form) => hide(name, form)))
      // A secret may contain another.
      .sort((a, b) => b.value.length - a.value.length)
  )
}

/**
 * A value as it is, inside JSON, and in each place of a URL, whose parser changes letters and characters; each of its lines,
 * because a log may be written line by line; its UTF-8 taken for Latin-1, as the engine's Intl shows it.
 */
function formsOf(value: string): string[] {
  const url = new URL('https://host')
  url.pathname = value
  url.search = value
  url.hash = value
  url.username = value
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    url.pathname.slice(1),
    url.search.slice(1),
    url.hash.slice(1),
    url.username,
    Buffer.from(value).toString('latin1'),
  ].filter((form) => form.length >= SHORTEST)
  for (const line of value.split(/[\r\n]+/)) {
    if (line.trim().length >= SHORTEST_LINE) forms.push(line.trim())
  }
  const host = `http://${value}`
  if (NOT_ASCII.test(value) && !BEYOND_HOST.test(value) && URL.canParse(host)) {
    forms.push(new URL(host).hostname)
  }
  const small = value.toLowerCase()
  if (small.length >= SHORTEST_IN_SMALL_LETTERS) forms.push(small)
  return [...new Set(forms)]
}

function hide(name: string, value: string): Hidden {
  const borders = [0]
  for (let length = 1, border = 0; length < value.length; length++) {
    while (border > 0 && value[length] !== value[border]) border = borders[border - 1]!
    if (value[length] === value[border]) border++
    borders.push(border)
  }
  return { value, placeholder: `[secret ${name}]`, borders }
}

function hasBeginning(text: string, { value }: Hidden): boolean {
  return value.length > SHORTEST_BEGINNING && text.includes(value.slice(0, SHORTEST_BEGINNING))
}

interface Part {
  readonly from: number
  readonly to: number
  readonly placeholder: string
}

/** Without long beginnings of secrets, and those that stand where the text was cut. Of several at one place, all is hidden. */
function withoutBeginnings(text: string, hidden: readonly Hidden[], endIsCut: boolean): string {
  const parts = hidden
    .flatMap((secret) => beginningsIn(text, secret, endIsCut))
    .sort((a, b) => a.from - b.from)
  let left = ''
  let at = 0
  for (const { from, to, placeholder } of parts) {
    if (to <= at) continue
    if (from >= at) left += text.slice(at, from) + placeholder
    at = to
  }
  return left + text.slice(at)
}

/** In one pass (Knuth, Morris, Pratt). */
function beginningsIn(
  text: string,
  { value, placeholder, borders }: Hidden,
  endIsCut: boolean,
): Part[] {
  const parts: Part[] = []
  let matched = 0
  for (let at = 0; at <= text.length; at++) {
    const isCut = at === text.length ? endIsCut : text[at] === CUT_MARK
    const isLong = text[at] !== value[matched] && matched >= SHORTEST_BEGINNING
    if (isLong || (isCut && matched >= SHORTEST)) {
      parts.push({ from: at - matched, to: at, placeholder })
      matched = 0
    }
    while (matched > 0 && (matched === value.length || text[at] !== value[matched])) {
      matched = borders[matched - 1]!
    }
    if (text[at] === value[matched]) matched++
  }
  return parts
}
