import { describe, expect, it } from 'vitest'
import { GUEST_TEXT_LENGTH } from '../guest/protocol.js'
import { redactor } from './redactor.js'

describe('a redactor', () => {
  const secret = 'abab-ababX-"quoted"-\u{1f600}'
  const redact = redactor({ KEY: secret, LONGER: `${secret}-and-more`, SHORT: 'abc' })

  it('hides whole values, the longest first, as text and inside JSON', () => {
    expect(redact(`a ${secret} b ${secret}-and-more c`)).toBe('a [secret KEY] b [secret LONGER] c')
    expect(redact(JSON.stringify({ secret }))).toBe('{"secret":"[secret KEY]"}')
    expect(redact('abc')).toBe('abc')
  })

  it.each(Array.from({ length: secret.length - 4 }, (_, n) => n + 4))(
    'hides the first %i units of a value that a cut parts in two',
    (units) => {
      const part = secret.slice(0, units)
      const cutByGuest = 'x'.repeat(GUEST_TEXT_LENGTH - units) + part
      const redact = redactor({ KEY: secret })
      expect(redact(cutByGuest)).toBe(`${'x'.repeat(GUEST_TEXT_LENGTH - units)}[secret KEY]`)
      expect(redact(`a ${part}… b ${part}…`)).toBe('a [secret KEY]… b [secret KEY]…')
    },
  )

  it('finds a part behind one that only looks like its beginning', () => {
    expect(redactor({ KEY: secret })('abab-abab-ababX…')).toBe('abab-[secret KEY]…')
  })

  it('leaves parts alone where nothing was cut, and parts that are too short', () => {
    for (const text of ['abab-ababX', 'aba…', 'abab b…', 'a…b']) expect(redact(text)).toBe(text)
  })

  it('changes nothing without secrets', () => {
    expect(redactor(undefined)('abab…')).toBe('abab…')
    expect(redactor({})('abab…')).toBe('abab…')
  })

  it('takes one pass over a text, whatever the secret repeats', () => {
    const repeated = redactor({ KEY: `${'a'.repeat(20_000)}b` })
    const text = 'a…'.repeat(30_000)
    expect(repeated(text)).toBe(text)
  })
})

describe('a redactor knows the other forms of a value', () => {
  const value = 'Akia/Top Secret?é#"x"'
  const redact = redactor({ KEY: value })

  it.each([
    ['a host in small letters', value.toLowerCase()],
    ['an encoded component', encodeURIComponent(value)],
    [
      'a path',
      new URL(`https://h/${value.replace('?', '%3F').replace('#', '%23')}`).pathname.slice(1),
    ],
    ['a query', Object.assign(new URL('https://h'), { search: value }).search.slice(1)],
    ['a user name', Object.assign(new URL('https://h'), { username: value }).username],
  ])('in a URL: %s', (_what, form) => {
    expect(redact(`at https://h/${form}/x`)).toBe('at https://h/[secret KEY]/x')
  })

  it('as the piece that an error of JSON.parse shows', () => {
    for (const token of [value, value.slice(0, 4), value.slice(3, 12)]) {
      expect(redact(`unexpected token: '${token}'`)).toBe("unexpected token: '[secret KEY]'")
    }
    for (const token of ['Aki', 'else', '']) {
      expect(redact(`unexpected token: '${token}'`)).toBe(`unexpected token: '${token}'`)
    }
  })

  it('but not a short word in small letters', () => {
    expect(redactor({ MODE: 'TEST' })('a test of TEST')).toBe('a test of [secret MODE]')
  })
})
