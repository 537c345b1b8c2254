import { inspect } from 'node-inspect-extracted'

interface Details {
  message?: string | undefined
  actual?: unknown
  expected?: unknown
  operator?: string | undefined
}

const HEADINGS: Record<string, string> = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
}

const SHOWN = {
  compact: false,
  customInspect: false,
  depth: 1000,
  maxArrayLength: Number.POSITIVE_INFINITY,
  showHidden: false,
  showProxy: false,
  sorted: true,
  getters: true,
}
const show = (value: unknown) => inspect(value, SHOWN as never)

/** What an assertion that does not hold throws. */
export class AssertionError extends Error {
  readonly code = 'ERR_ASSERTION'
  actual: unknown
  expected: unknown
  operator: string | undefined
  generatedMessage: boolean

  constructor(details: Details) {
    super(textOf(details))
    this.generatedMessage = details.message === undefined
    this.actual = details.actual
    this.expected = details.expected
    this.operator = details.operator
    Object.defineProperty(this, 'name', {
      value: 'AssertionError',
      writable: true,
      configurable: true,
    })
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`
  }
}

/** An own text of a strict comparison stands in the place of the heading, as in Node. */
function textOf(details: Details): string {
  const { message, operator } = details
  if (message === undefined) return generated(details)
  const isStrict = operator === 'strictEqual' || operator === 'deepStrictEqual'
  return isStrict ? comparison(details, String(message)) : String(message)
}

function generated(details: Details): string {
  const { actual, expected, operator = 'fail' } = details
  if (operator === 'fail') return 'Failed'
  const [one, other] = [show(actual), show(expected)]
  if (operator === '==' || operator === '!=') return `${one} ${operator} ${other}`
  if (operator === 'deepEqual') {
    return `${HEADINGS.deepEqual}\n\n${one}\n\nshould loosely deep-equal\n\n${other}`
  }
  if (!operator.startsWith('not')) return comparison(details, HEADINGS[operator] ?? operator)
  const isObject = typeof actual === 'object' && actual !== null
  const heading =
    operator === 'notStrictEqual' && isObject
      ? 'Expected "actual" not to be reference-equal to "expected":'
      : HEADINGS[operator]
  return one.includes('\n') ? `${heading}\n\n${one}\n` : `${heading} ${one}`
}

function comparison({ actual, expected, operator }: Details, heading: string): string {
  const [one, other] = [show(actual), show(expected)]
  const isValue = (value: unknown) => typeof value !== 'object' || value === null
  if (one === other && operator === 'strictEqual' && !isValue(actual)) {
    return `Values have same structure but are not reference-equal:\n\n${one}\n`
  }
  const areShort = isValue(actual) && isValue(expected) && one.length + other.length <= 12
  return areShort && !one.includes('\n') && !other.includes('\n')
    ? `${heading}\n\n${one} !== ${other}\n`
    : `${heading}\n${difference(one.split('\n'), other.split('\n'))}`
}

/** The lines of both, those of one alone with a sign. */
function difference(actual: readonly string[], expected: readonly string[]): string {
  const lines = ['+ actual - expected', '']
  const common = longestCommon(actual, expected)
  let [a, b] = [0, 0]
  for (const line of [...common, undefined]) {
    while (a < actual.length && actual[a] !== line) lines.push(`+ ${actual[a++]}`)
    while (b < expected.length && expected[b] !== line) lines.push(`- ${expected[b++]}`)
    if (line === undefined) break
    lines.push(`  ${line}`)
    a++
    b++
  }
  return lines.join('\n')
}

const MAX_COMPARED = 200

function longestCommon(a: readonly string[], b: readonly string[]): string[] {
  if (a.length > MAX_COMPARED || b.length > MAX_COMPARED) return []
  const lengths = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  )
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        a[i] === b[j]
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  const common: string[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      common.push(a[i]!)
      i++
      j++
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++
    else j++
  }
  return common
}
