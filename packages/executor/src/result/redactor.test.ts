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

  it('hides a beginning of 16 units or more wherever it stands, however long it is', () => {
    const long = Array.from({ length: 40 }, (_, n) => `${n}:`).join('')
    const redact = redactor({ KEY: long })
    for (let units = 1; units < long.length; units++) {
      const part = long.slice(0, units)
      const shown = units < 16 ? part : '[secret KEY]'
      for (const [before, after] of [
        ['', ''],
        ["cannot read property '", "' of null"],
        ['0:1:', '\n'],
        [long, long],
      ] as const) {
        const [first, last] = [before, after].map((text) => text.replace(long, '[secret KEY]'))
        expect(redact(`${before}${part}#${after}`)).toBe(`${first}${shown}#${last}`)
      }
    }
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

  it('each in its own place of a URL, where the places encode other characters', () => {
    const value = 'Key a&b+c$d/e`f"g<h>i|j^k\'l!m?n#o'
    const places = (['pathname', 'search', 'hash', 'username'] as const).map((place) => {
      const url = new URL('https://h')
      url[place] = value
      return url[place].replace(/^[/?#]/, '')
    })
    const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), ...places]
    // What none of the others holds is found only by the form of this place.
    expect(new Set(forms).size).toBe(forms.length)
    for (const form of forms) {
      expect(redactor({ KEY: value })(`at ${form} end`)).toBe('at [secret KEY] end')
    }
  })

  it('also of a value that is no text of Unicode', () => {
    expect(redactor({ KEY: 'half-\ud83d-pair' })('a half-\ud83d-pair b')).toBe('a [secret KEY] b')
  })

  it('as Intl shows it: bytes of UTF-8 as characters', () => {
    const redact = redactor({ KEY: 'gr\u00fc\u00df-\u20ac-42' })
    const shown = Buffer.from('gr\u00fc\u00df-\u20ac-42').toString('latin1')
    expect(redact(`Invalid time zone specified: ${shown}`)).toBe(
      'Invalid time zone specified: [secret KEY]',
    )
  })

  it('as a host that is not ASCII', () => {
    const redact = redactor({ KEY: 'Gr\u00fc\u00df-key', URL: 'gr\u00fc\u00df.example/\u00fc' })
    expect(redact(`at ${new URL('https://Gr\u00fc\u00df-key/a').href}`)).toBe(
      'at https://[secret KEY]/a',
    )
    const other = new URL('https://gr\u00fc\u00df.example').href
    expect(redact(other)).toBe(other)
  })

  it('line by line, but for lines that are shorter than 8 characters', () => {
    const lines = [
      '-----BEGIN KEY-----',
      'MIIEvQIBADAN',
      '  indented-line',
      'short',
      '-----END KEY-----',
    ]
    for (const end of ['\n', '\r\n']) {
      const redact = redactor({ KEY: lines.join(end) })
      for (const line of lines) {
        const shown = line === 'short' ? line : line.replace(/\S.*/, '[secret KEY]')
        expect(redact(`a ${line} b`)).toBe(`a ${shown} b`)
      }
    }
  })

  it('but not a short word in small letters', () => {
    expect(redactor({ MODE: 'TEST' })('a test of TEST')).toBe('a test of [secret MODE]')
  })
})
