import { describe, expect, it } from 'vitest'
import { hostCodec } from '../values/host-codec.js'
import { HostFunctions } from './host-functions.js'

class Stock {
  /** Not the object's own, so no guest can call it. */
  clear() {
    return 'cleared'
  }
  left = () => 3
}

describe('a guest can call', () => {
  const functions = new HostFunctions()
  functions.register('stock', new Stock())
  const call = (name: string, method: string, args: unknown = []) =>
    functions.call(name, method, hostCodec.encode(args, 'arguments'))

  it('what was registered', async () => {
    expect(await call('stock', 'left')).toBe(3)
  })

  it.each(['clear', 'constructor', 'toString', '__proto__', 'hasOwnProperty', ''])(
    'no method that the object only inherits: %j',
    async (method) => {
      await expect(call('stock', method)).rejects.toThrow('There is no method')
      await expect(call(method, 'left')).rejects.toThrow('There is no host function')
    },
  )

  it.each([{ length: 1, 0: 'a' }, 'text', 1, null, new Map(), new Set([1])])(
    'nothing with %o instead of a list of arguments',
    async (args) => {
      await expect(call('stock', 'left', args)).rejects.toThrow('Expected a list of arguments')
    },
  )
})
