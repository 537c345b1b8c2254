import { describe, expect, it } from 'vitest'
import { codeOf, reasonOf } from './thrown-reason.js'

const revoked = Proxy.revocable({}, {})
revoked.revoke()
const throwing = new Proxy({}, new Proxy({}, { get: () => () => raise() }))

function raise(): never {
  throw new Error('a trap')
}

describe('the reason that is told of what was thrown', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a symbol', Symbol('s')],
    ['an object without a prototype', Object.create(null)],
    ['an object whose toString is null', { toString: null }],
    ['an array whose text never ends', new Array(2 ** 32 - 1)],
    ['an error whose message is an array', Object.assign(new Error(), { message: [1] })],
    [
      'an error whose getters throw',
      Object.defineProperties(new Error(), { message: { get: raise }, code: { get: raise } }),
    ],
    ['a revoked proxy', revoked.proxy],
    ['a proxy whose every trap throws', throwing],
    ['a function', () => 1],
    ['a text of megabytes', 'x'.repeat(1e7)],
    [
      'an error with a message and a code of megabytes',
      { message: 'x'.repeat(1e7), code: 'y'.repeat(1e7) },
    ],
  ])('is a short text, whatever it is: %s', (_what, thrown) => {
    expect(typeof reasonOf(thrown)).toBe('string')
    expect(reasonOf(thrown).length).toBeLessThanOrEqual(1024)
    expect((codeOf(thrown) ?? '').length).toBeLessThanOrEqual(1024)
  })

  it('is the message of an error, with its code apart', () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    expect([reasonOf(error), codeOf(error)]).toEqual(['no such file', 'ENOENT'])
    expect([reasonOf('text'), codeOf('text')]).toEqual(['text', undefined])
    expect(codeOf(Object.assign(new Error('x'), { code: 5 }))).toBeUndefined()
  })
})
