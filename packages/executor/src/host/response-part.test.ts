import { describe, expect, it } from 'vitest'
import { responsePart } from './response-part.js'

const head = (part: object) => ({ head: { status: 200, statusText: '', headers: [], ...part } })
const header = (name: string, value: string) => head({ headers: [[name, value]] })
const ofLength = (count: number) => Array.from({ length: count }, () => ['a', 'b'])

describe('a part of a response', () => {
  it.each<[string, unknown, unknown]>([
    ['a status', head({ status: 200 }), head({ status: 199 })],
    ['a status', head({ status: 599 }), head({ status: 600 })],
    ['a status', head({ status: 204 }), head({ status: 204.5 })],
    ['a status text', head({ statusText: 'x'.repeat(256) }), head({ statusText: 'x'.repeat(257) })],
    ['headers', head({ headers: ofLength(256) }), head({ headers: ofLength(257) })],
    ['the name of a header', header('n'.repeat(256), ''), header('n'.repeat(257), '')],
    ['the name of a header', header("!#$%&'*+-.^_`|~", ''), header('', '')],
    ['the name of a header', header('a', ''), header('a b', '')],
    ['the name of a header', header('a', ''), header('a:', '')],
    ['the name of a header', header('a', ''), header('a\r\nb', '')],
    ['the value of a header', header('a', 'v'.repeat(16_384)), header('a', 'v'.repeat(16_385))],
    ['the value of a header', header('a', '\t \x7e\x80\xff'), header('a', '\x7f')],
    ['the value of a header', header('a', ''), header('a', 'b\r\nset-cookie: c')],
    ['the value of a header', header('a', ''), header('a', 'b\0')],
    ['the value of a header', header('a', ''), header('a', '\u0100')],
    ['bytes', { bytes: new Uint8Array(3) }, { bytes: 'text' }],
    ['what it is', {}, { more: 1 }],
    ['what it is', {}, null],
    ['its head', head({}), head({ more: 1 })],
  ])('is checked for %s, on both sides of what may be', (_what, good, bad) => {
    expect(responsePart(good)).toEqual(good)
    expect(() => responsePart(bad)).toThrow(/^The response cannot be sent: /)
  })
})
