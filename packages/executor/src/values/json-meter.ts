import { MAX_NESTING, MAX_STEPS, STEPS } from './value-limits.js'

/** Whether a text may cross: `deep` when it nests deeper than {@link MAX_NESTING}, `large` when the steps are used up. */
export type JsonVerdict = 'ok' | 'deep' | 'large'

const QUOTE = 34
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const COMMA = 44
const SPACE = 32
/** Above so many names V8 keeps an object as a table, which grows and is copied. */
const MANY_NAMES = 128
/** A text of at most so many characters is not counted while its upper bound fits. */
const SHORT_TEXT = 4096
/** No character of JSON costs more on average: `{"a":` is a container and a new name. */
const MAX_STEPS_PER_CHARACTER = 3

/**
 * Counts what it will cost to parse JSON texts, before they are parsed: one pass over the characters, on the
 * sandbox's thread. What is not JSON is left to the parser to refuse: it is counted all the same.
 *
 * Most texts are short. They are taken at their upper bound, and counted only when the sum of the bounds no longer fits.
 */
export class JsonMeter {
  #names: Set<string> | undefined
  #steps = 0
  #read = 0
  #uncounted: string[] | undefined
  #uncountedSteps = 0

  constructor(private readonly maxSteps: number = MAX_STEPS) {}

  /** What parsing all texts that were added costs at most, in steps. */
  get steps(): number {
    return this.#steps + this.#uncountedSteps
  }

  /** Characters that were looked at: what counting itself has cost. */
  get read(): number {
    return this.#read
  }

  add(text: string): JsonVerdict {
    const bound = STEPS.value + text.length * MAX_STEPS_PER_CHARACTER
    if (text.length <= SHORT_TEXT && this.steps + bound <= this.maxSteps && isShallow(text)) {
      this.#uncounted ??= []
      this.#uncounted.push(text)
      this.#uncountedSteps += bound
      return 'ok'
    }
    this.#countRest()
    return this.#count(text)
  }

  #countRest(): void {
    const texts = this.#uncounted
    if (texts === undefined) return
    this.#uncounted = undefined
    this.#uncountedSteps = 0
    for (const text of texts) this.#count(text)
  }

  #count(text: string): JsonVerdict {
    let depth = 0
    // How many names each open object has had, by its depth.
    const names: number[] = []
    // What stands between two commas or brackets costs one step, whatever it is.
    let steps = STEPS.value
    const room = this.maxSteps - this.#steps
    for (let at = 0; at < text.length; at++) {
      switch (text.charCodeAt(at)) {
        case QUOTE: {
          const end = endOfString(text, at)
          if (isName(text, end)) {
            steps += this.#stepsOfName(text.slice(at + 1, end))
            const count = (names[depth] ?? 0) + 1
            names[depth] = count
            if (count > MANY_NAMES) steps += STEPS.crowdedName
          }
          at = end
          break
        }
        case OPEN_BRACKET:
        case OPEN_BRACE:
          if (++depth > MAX_NESTING) return this.#stop('deep', steps, at)
          steps += STEPS.container
          names[depth] = 0
          break
        case CLOSE_BRACKET:
        case CLOSE_BRACE:
          depth--
          break
        case COMMA:
          steps += STEPS.value
          break
      }
      if (steps > room) return this.#stop('large', steps, at)
    }
    return this.#stop('ok', steps, text.length)
  }

  #stop(verdict: JsonVerdict, steps: number, read: number): JsonVerdict {
    this.#steps += steps
    this.#read += read
    return verdict
  }

  #stepsOfName(name: string): number {
    this.#names ??= new Set()
    if (this.#names.has(name)) return STEPS.name
    this.#names.add(name)
    return STEPS.newName
  }
}

/** Whether it opens too few arrays and objects to nest too deep, wherever they close. */
function isShallow(text: string): boolean {
  if (text.length <= MAX_NESTING) return true
  return count(text, '[') + count(text, '{') <= MAX_NESTING
}

function count(text: string, bracket: string): number {
  let found = 0
  for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) found++
  return found
}

/** Where the string that starts at `start` ends; the end of the text when it never does. */
function endOfString(text: string, start: number): number {
  for (let at = start; ; ) {
    at = text.indexOf('"', at + 1)
    if (at === -1) return text.length
    let escapes = at - 1
    while (text.charCodeAt(escapes) === BACKSLASH) escapes--
    if ((at - escapes) % 2 === 1) return at
  }
}

function isName(text: string, end: number): boolean {
  let at = end + 1
  while (text.charCodeAt(at) <= SPACE) at++
  return text.charCodeAt(at) === COLON
}
