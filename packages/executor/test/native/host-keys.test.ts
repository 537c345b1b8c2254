import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const GENERATE = `crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])`
const SIGN = `const hex = (data) => new Uint8Array(data).toHex(); const sign = async (key) => hex(await crypto.subtle.sign('HMAC', key, new Uint8Array(3)))`

describe.each([0, 2])('with threads: %i', (threads) => {
  const runtime = openRuntime({ threads })
  const call = async (code: string, event: unknown = null, options: object = {}) => {
    const { value, error } = await runtime.executeHandler(code, { event }, options)
    if (error) throw new Error(`${error.code} ${error.name}: ${error.message}`)
    return value
  }

  it('a key that is made while the module loads serves every call, also at the same time', async () => {
    const code = `${SIGN}; const key = await ${GENERATE}; const soon = ${GENERATE}
      export default async () => [await sign(key), await sign(await soon), key.extractable, Math.random()]`
    const calls = await Promise.all(Array.from({ length: 8 }, () => call(code)))
    const kept = calls.map((value) => JSON.stringify((value as unknown[]).slice(0, 3)))
    // Each thread runs the module once.
    expect(new Set(kept).size).toBeLessThanOrEqual(Math.max(1, threads))
    expect(new Set(calls.map((value) => (value as unknown[])[3])).size).toBe(8)
  })

  it('a key that is not extractable cannot be exported', async () => {
    const code = `const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 5)
      const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt'])
      export default async () => Promise.all(['raw', 'jwk'].map((format) => crypto.subtle.exportKey(format, key).catch((e) => e.name)))`
    expect(await call(code)).toEqual(['InvalidAccessError', 'InvalidAccessError'])
  })

  it.each(['pristine', 'shared'])(
    'an id that was not given is refused, and one of another handler too (%s)',
    async (isolation) => {
      const other = `const keys = await Promise.all(Array.from({ length: 20 }, () => ${GENERATE})); export default () => keys.length`
      expect(await call(other, null, { isolation })).toBe(20)
      // The most hostile guest calls the host as the platform does.
      const code = `const { later } = globalThis[Symbol.for('nexus.native')]
      const sign = (key) => later('subtle.sign', JSON.stringify({ algorithm: 'HMAC', key, data: { at: 0 } }), new Uint8Array(3)).then(() => 'signed', (e) => e.name + ': ' + e.message)
      export default () => Promise.all([0, 1, 2, 20, -1, 1.5, '1', null, [1], { id: 1 }, '__proto__', 2 ** 53].map(sign))`
      const refused = new Set((await call(code, null, { isolation })) as string[])
      expect([...refused]).toEqual(['InvalidAccessError: The key is not one of this handler'])
    },
  )

  it('a key that is made in a call dies with it', async () => {
    const code = `${SIGN}
      export default async (last) => {
        const { later } = globalThis[Symbol.for('nexus.native')]
        const ask = (key) => later('subtle.sign', JSON.stringify({ algorithm: 'HMAC', key, data: { at: 0 } }), new Uint8Array(3)).then(() => 'signed', (e) => e.name)
        if (last) return ask(1)
        await ${GENERATE}
        return ask(1)
      }`
    expect(await call(code, false)).toBe('signed')
    expect(await call(code, true)).toBe('InvalidAccessError')
  })

  it('with shared state it lives as long as the state that holds it', async () => {
    const code = `${SIGN}; let key; export default async () => { key ??= await ${GENERATE}; return sign(key) }`
    const options = { isolation: 'shared', maxHostCalls: 2 }
    const first = await call(code, null, options)
    const again = [await call(code, null, options), await call(code, null, options)]
    // Two threads have two states.
    if (threads === 0) expect(again).toEqual([first, first])
    else for (const value of again) expect(value).toMatch(/^[0-9a-f]{64}$/)
  })

  it('what the host keeps for a call is bounded by its memory limit', async () => {
    const code = `export default async () => {
      const big = new Uint8Array(1_000_000)
      const keys = []
      try { for (let i = 0; i < 50; i++) keys.push(await crypto.subtle.importKey('raw', big, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])) }
      catch (e) { return [e.code, keys.length > 0, keys.length < 40] }
    }`
    expect(await call(code, null, { memoryLimitBytes: 8 * 1024 * 1024 })).toEqual([
      'RESOURCE_LIMIT',
      true,
      true,
    ])
  })
})
