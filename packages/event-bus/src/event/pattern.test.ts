import { describe, expect, it } from 'vitest'
import { assertPattern, matchesPattern, PatternIndex } from './pattern.js'

const cases: [pattern: string, type: string, matches: boolean][] = [
  ['a.b', 'a.b', true],
  ['a.b', 'a.b.c', false],
  ['a.b', 'a', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['*.b', 'a.b', true],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['a.>', 'a.b', true],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['>', 'a', true],
  ['*.*.>', 'a.b.c.d', true],
  ['*.*.>', 'a.b', false],
]

describe('patterns', () => {
  it.each(cases)('%s against %s: %s', (pattern, type, matches) => {
    expect(matchesPattern(pattern, type)).toBe(matches)
    const index = new PatternIndex<string>()
    index.add(pattern, 'value')
    expect(index.match(type).has('value')).toBe(matches)
  })

  it.each(['', '>.a', 'a.>.b', 'a*', 'a\u0000b', '\ud800', 'a'.repeat(513), 7])(
    '%j is refused',
    (bad) => {
      expect(() => assertPattern(bad)).toThrow(/dot-separated tokens/)
    },
  )

  it('in an index name each value once and can be removed', () => {
    const index = new PatternIndex<number>()
    for (const pattern of ['a.*', 'a.>', 'a.b']) index.add(pattern, 1)
    index.add('a.b', 2)
    expect([...index.match('a.b')].sort()).toEqual([1, 2])
    index.remove('a.b', 1)
    index.remove('a.*', 1)
    index.remove('never.added', 1)
    expect([...index.match('a.b')].sort()).toEqual([1, 2])
    index.remove('a.>', 1)
    expect([...index.match('a.b')]).toEqual([2])
  })

  it('that do not match are not looked at', () => {
    const index = new PatternIndex<number>()
    for (let n = 0; n < 1000; n++) index.add(`tenant${n}.order.*`, n)
    expect([...index.match('tenant7.order.paid')]).toEqual([7])
  })
})
