import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { hostCodec } from './host-codec.js'
import { createValueCodec } from './value-codec.js'

const through = (value: unknown) => hostCodec.decode(hostCodec.encode(value, 'value'))

describe('a value that crosses', () => {
  it.each([
    ['JSON', { a: [1, 'x', true, null, { b: {} }], '': 0 }],
    ['undefined', undefined],
    ['undefined inside', { a: undefined, b: [undefined] }],
    ['numbers that JSON has not', [Number.NaN, Infinity, -Infinity, -0, 0]],
    ['a BigInt', [12345678901234567890n, -1n]],
    ['dates', [new Date(1e12), new Date(Number.NaN)]],
    [
      'a Map of Maps',
      new Map<unknown, unknown>([
        ['a', new Map([[{ k: 1 }, 2n]])],
        [null, []],
      ]),
    ],
    ['a Set', new Set([1, 'a', new Set([2])])],
    ['an ArrayBuffer', new Uint8Array([1, 2, 255]).buffer],
    ['typed arrays', [new Uint8Array([1, 255]), new Float64Array([0.5]), new BigInt64Array([-5n])]],
    ['nothing', null],
    ['text that looks like a tag', ['u', 'A', ['n', 'NaN'], ['J', 'x']]],
  ])('keeps %s', (_, value) => {
    expect(through(value)).toEqual(value)
  })

  it('keeps -0 and the range of a view', () => {
    expect(Object.is(through(-0), -0)).toBe(true)
    expect(through(new Uint8Array([1, 2, 3]).subarray(1, 2))).toEqual(new Uint8Array([2]))
  })

  it('keeps cycles and identity', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = {
      a: shared,
      b: shared,
      map: new Map<unknown, unknown>(),
    }
    value.self = value
    ;(value.map as Map<unknown, unknown>).set(value, new Set([value]))
    const out = through(value) as typeof value
    expect(out.self).toBe(out)
    expect(out.a).toBe(out.b)
    expect([...(out.map as Map<unknown, Set<unknown>>).get(out)!][0]).toBe(out)
  })

  it('keeps an error with its cause, its code and without its stack', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), {
      code: 'E1',
    })
    const out = through(error) as typeof error
    expect(out).toBeInstanceOf(TypeError)
    expect(out).toMatchObject({ name: 'TypeError', message: 'outer', code: 'E1' })
    expect((out.cause as Error).message).toBe('inner')
    expect(hostCodec.encode(error, 'e')).not.toContain('value-codec.test')
  })

  it('becomes a plain object when it is of a class, or what its toJSON gives', () => {
    class Row {
      id = 1
      #secret = 2
      get secret() {
        return this.#secret
      }
    }
    expect(through(new Row())).toEqual({ id: 1 })
    const url = new URL('http://a.test/')
    expect(through({ url, same: url })).toEqual({ url: 'http://a.test/', same: 'http://a.test/' })
  })

  it('is JSON when JSON says all', () => {
    expect(hostCodec.encode({ a: [1, null, 'x'] }, 'value')).toBe('={"a":[1,null,"x"]}')
    expect(through(new Array<unknown>(1).concat(1))).toEqual([undefined, 1])
  })

  it('may refer to one object so often that JSON of it would never end', () => {
    let value: unknown = 'leaf'
    for (let i = 0; i < 60; i++) value = [value, value]
    let out = through(value) as unknown[]
    for (let i = 0; i < 59; i++) out = out[0] as unknown[]
    expect(out).toEqual(['leaf', 'leaf'])
  })

  it('may be 256 levels deep, and one more is refused with its path', () => {
    const nested = (levels: number) => {
      let value: unknown = {}
      for (let i = 1; i < levels; i++) value = { v: value }
      return value
    }
    expect(through(nested(256))).toEqual(nested(256))
    expect(() => hostCodec.encode(nested(257), 'value')).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        code: 'RESOURCE_LIMIT',
        message: expect.stringMatching(/^value(?:\.v)+\.?… is nested deeper than 256 levels$/),
      }),
    )
  })

  it('is what toJSON gives, which is not asked again for its own', () => {
    let asked = 0
    const chain = (): object => ({ n: ++asked, toJSON: chain })
    expect(() => hostCodec.encode({ chain: { toJSON: chain } }, 'value')).toThrow(
      'value.chain.toJSON is a function',
    )
    expect(asked).toBe(1)
  })

  it('may be a BigInt of any length, in a text that is read in linear time', () => {
    const value = -(1n << 100_000n) - 12345n
    expect(through(value)).toBe(value)
    expect(hostCodec.encode(255n, 'value')).toBe('[["b","ff"]]')
  })

  it('keeps a key __proto__ as data', () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}') as object
    const out = through(value) as { admin?: boolean }
    expect(out.admin).toBeUndefined()
    expect(Object.keys(out)).toEqual(['__proto__'])
  })

  it('that cannot is refused with its path', () => {
    const refused = (value: unknown) => () => hostCodec.encode(value, 'args[0]')
    expect(refused({ rows: [{ 'on-click': () => 1 }] })).toThrow(
      'args[0].rows[0]["on-click"] is a function',
    )
    expect(refused(new Map([['k', Symbol('s')]]))).toThrow('args[0].get("k") is a symbol')
    expect(refused(new Error('x', { cause: Promise.resolve() }))).toThrow(
      'args[0].cause is a promise',
    )
    expect(refused([new WeakMap()])).toThrow('args[0][0] is a weak collection')
    expect(refused(/x/)).toThrow('args[0] is a regular expression')
    expect(refused(new Uint8Array(new SharedArrayBuffer(1)))).toThrow('args[0] is shared memory')
  })
})

describe('text that no encoder wrote', () => {
  it.each([
    '{}',
    '[[1]]',
    '[[-1]]',
    '[[0]]',
    '[[0.5]]',
    '[["x"]]',
    '[{}]',
    '[[1],["Z"]]',
    '[[1],["T","Function","AA=="]]',
    '[[1],["E",1,2]]',
    '[[1],["J",[1]]]',
    '[[1],["J",[2]],["J",[1]]]',
    '[["b",{}]]',
    '[["b","1.5"]]',
    '[["b","0xff"]]',
    '[["b",""]]',
    '[["n","1"]]',
    '[["n",[[[]]]]]',
    '[[1],["D",[2]],["A"]]',
    '[[1],["B",7]]',
    'x',
    '',
    '[[1],["T","__proto__","AA=="]]',
    '[[1],5]',
  ])('%s is an error, not a value', (text) => {
    expect(() => hostCodec.decode(text)).toThrow()
  })
})

it('needs nothing but its argument: its source is what the guest runs', () => {
  const { encode, decode } = runInNewContext(
    `(${createValueCodec})({ toBase64: String, fromBase64: String, maxNesting: 256 })`,
  ) as typeof hostCodec
  expect(encode({ a: 1n }, 'v')).toBe(hostCodec.encode({ a: 1n }, 'v'))
  expect((decode(hostCodec.encode(new Map([[1, 2]]), 'v')) as Map<number, number>).get(1)).toBe(2)
})
