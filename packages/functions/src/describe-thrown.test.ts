import { expect, it } from 'vitest'
import { describeThrown } from './describe-thrown.js'

const throwing = { get: (): never => expect.unreachable('a getter that throws') }
const revoked = Proxy.revocable({}, {})
revoked.revoke()

it.each<[string, unknown, object]>([
  [
    'an error',
    new TypeError('no'),
    { name: 'TypeError', message: 'no', stack: expect.any(String) },
  ],
  [
    'a code',
    Object.assign(new Error('x'), { code: 'A', statusCode: 4 }),
    { code: 'A', statusCode: 4 },
  ],
  [
    'fields of other kinds',
    { message: 1, code: 2, statusCode: '3' },
    { code: undefined, statusCode: undefined },
  ],
  ['a text', 'plain', { message: 'plain' }],
  ['undefined', undefined, { message: 'undefined' }],
  ['null', null, { message: 'null' }],
  ['a symbol', Symbol('s'), { message: 'Symbol(s)' }],
  [
    'an object without a prototype',
    Object.create(null),
    { message: 'a value that cannot be shown' },
  ],
  ['a toString that is none', { toString: null }, { message: 'a value that cannot be shown' }],
  [
    'getters that throw',
    Object.create({ toString: () => 't' }, { message: throwing, code: throwing }),
    { message: 't' },
  ],
  ['a revoked proxy', revoked.proxy, { message: 'a value that cannot be shown' }],
])('describes %s', (_, thrown, expected) => {
  expect(describeThrown(thrown)).toMatchObject(expected)
})
