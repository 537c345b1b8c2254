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
const POINT = 46
const DIGIT_0 = 48
const DIGIT_9 = 57
const UPPER_E = 69
const LOWER_E = 101
const SPACE = 32
/** Above so many names V8 keeps an object as a table, which grows and is copied. */
const MANY_NAMES = 128
/** V8 keeps one copy of each text of at most so many characters (`kMaxInternalizedStringValueLength`). */
const MAX_KEPT_TEXT = 10
/** What one character is at most in JSON: `\u0001`. */
const MAX_ESCAPE = 6
/** A text of at most so many characters is not counted while its upper bound fits. */
const SHORT_TEXT = 4096
/** No character of JSON costs more on average: `{"a":1},` is a container, a value and a name that makes a shape. */
const MAX_STEPS_PER_CHARACTER = 5
/** The shape of an object without names, and what stands for all objects of many. */
const NO_NAMES = 0
const TABLE = 1

/**
 * Counts what it will cost to parse JSON texts, before they are parsed: one pass over the characters, on the
 * sandbox's thread. What is not JSON is left to the parser to refuse: it is counted all the same.
 *
 * Most texts are short. They are taken at their upper bound, and counted only when the sum of the bounds no longer fits.
 */
export class JsonMeter {
  /** By its number, what each name makes of a shape. */
  #shapes: Map<string, number>[] | undefined
  #texts: Set<string> | undefined
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
    const shapes: number[] = []
    // What stands between two commas or brackets costs one step, whatever it is.
    let steps = STEPS.value
    const room = this.maxSteps - this.#steps
    for (let at = 0; at < text.length; at++) {
      switch (text.charCodeAt(at)) {
        case QUOTE: {
          const end = endOfString(text, at)
          if (isName(text, end)) {
            const count = (names[depth] ?? 0) + 1
            names[depth] = count
            const isCrowded = count > MANY_NAMES
            if (isCrowded) steps += STEPS.crowdedName
            if (isDigit(text, at + 1)) {
              steps += STEPS.newName
              at = end
              break
            }
            const shape = isCrowded ? TABLE : (shapes[depth] ?? NO_NAMES)
            const name = text.slice(at + 1, end)
            const known = this.#shapeAfter(shape, name)
            if (known !== undefined) steps += STEPS.name
            else steps += isCrowded ? STEPS.newName : STEPS.newShape
            shapes[depth] = known ?? this.#addShape(shape, name)
          } else if (isKept(text, at, end)) {
            steps += this.#stepsOfText(text.slice(at + 1, end))
          }
          at = end
          break
        }
        case OPEN_BRACKET:
        case OPEN_BRACE:
          if (++depth > MAX_NESTING) return this.#stop('deep', steps, at)
          steps += STEPS.container
          names[depth] = 0
          shapes[depth] = NO_NAMES
          break
        case CLOSE_BRACKET:
        case CLOSE_BRACE:
          depth--
          break
        case COMMA:
          steps += STEPS.value
          break
        case POINT:
          steps += STEPS.fraction
          break
        case LOWER_E:
        case UPPER_E:
          // The letter is part of `true` and `false` too.
          if (isDigit(text, at - 1)) steps += STEPS.fraction
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

  #shapeAfter(shape: number, name: string): number | undefined {
    this.#shapes ??= [new Map(), new Map()]
    return this.#shapes[shape]!.get(name)
  }

  #addShape(shape: number, name: string): number {
    const shapes = this.#shapes!
    const added = shape === TABLE ? TABLE : shapes.push(new Map()) - 1
    shapes[shape]!.set(name, added)
    return added
  }

  /** What a short text costs beside the step of each value. */
  #stepsOfText(text: string): number {
    this.#texts ??= new Set()
    if (this.#texts.has(text)) return 0
    this.#texts.add(text)
    return STEPS.newText
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

/** Whether the text between two quotes may be one that V8 keeps a single copy of. */
function isKept(text: string, start: number, end: number): boolean {
  const length = end - start - 1
  if (length <= MAX_KEPT_TEXT) return true
  if (length > MAX_KEPT_TEXT * MAX_ESCAPE) return false
  return text.slice(start, end).includes('\\')
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= DIGIT_0 && code <= DIGIT_9
}

function isName(text: string, end: number): boolean {
  let at = end + 1
  while (text.charCodeAt(at) <= SPACE) at++
  return text.charCodeAt(at) === COLON
}
