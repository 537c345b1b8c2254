import { spawnSync } from 'node:child_process'
import { MetricsRegistry } from '@nexus/metrics'
import { hasPromtool } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { parseExposition } from './support/parse-exposition.js'
import { Random } from './support/random.js'

const FIRST = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_'
const REST = `${FIRST}0123456789`
const HOSTILE = [
  ...[
    '\n',
    '\\',
    '"',
    '\\n',
    '\r',
    '\t',
    '{',
    '}',
    ',',
    '=',
    '#',
    ' ',
    '# EOF',
    "'",
    'a',
    'Z',
    '0',
  ],
  ...['é', 'ß', '漢', '🦀', '\u2028', '\u200b', '\ufeff', '\u0001', '\u007f', '\ud800', '\udfff'],
]
const VALUES = [
  ...[
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    -0,
    1,
    -1,
    0.1,
    1e21,
    1e-7,
  ],
  ...[Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 123_456.789, -2.5e-300],
]

interface Expected {
  name: string
  labels: Record<string, string>
  value: number
}

/** Fills a registry with 10,000 metrics of random names, labels and values, and says what must come out. */
function fill(seed: number): { registry: MetricsRegistry; expected: Expected[] } {
  const random = new Random(seed)
  const registry = new MetricsRegistry()
  const expected: Expected[] = []
  for (let i = 0; i < 10_000; i++) {
    const base = `${random.pick(`${FIRST}:`)}${random.text(`${REST}:`, 20)}_${i}`
    const labelNames = Array.from(
      { length: random.below(4) },
      (_, label) => `${random.pick(FIRST.replace('_', 'x'))}${random.text(REST, 8)}_${label}`,
    )
    const labels = Object.fromEntries(labelNames.map((name) => [name, random.text(HOSTILE, 6)]))
    // UTF-8 has no lone surrogates, and an empty label is an absent one.
    const printed = Object.fromEntries(
      Object.entries(labels)
        .map(([name, value]) => [name, Buffer.from(value).toString()] as const)
        .filter(([, value]) => value !== ''),
    )
    const value = random.pick(VALUES)
    const help = `${random.text(HOSTILE, 5)}.`
    if (random.next() < 0.5) {
      registry.gauge({ name: base, help, labelNames }).set(labels, value)
      expected.push({ name: base, labels: printed, value })
    } else {
      const amount = Number.isFinite(value) ? Math.abs(value) : 1
      const name = `${base}_total`
      registry.counter({ name, help, labelNames }).inc(labels, amount)
      expected.push({ name, labels: printed, value: amount })
    }
  }
  return { registry, expected }
}

it.each([['text'], ['openmetrics']] as const)(
  '10,000 random metrics come back from %s as they went in',
  (format) => {
    const { registry, expected } = fill(20_260)
    const { samples } = parseExposition(registry.toPrometheus({ format }))
    const comparable = ({ name, labels, value }: Expected) => [name, { ...labels }, value + 0]
    expect(samples.map(comparable)).toEqual(expected.map(comparable))
  },
)

it.skipIf(!hasPromtool())('promtool reads 10,000 random metrics', () => {
  const { registry } = fill(4)
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: registry.toPrometheus(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  // Random names break naming rules, which is exit code 3; what cannot be parsed is 1.
  expect([0, 3], stderr.slice(0, 2_000)).toContain(status)
  expect(stderr).not.toContain('error while linting')
})
