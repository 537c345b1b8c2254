import { describe, expect, it } from 'vitest'
import { NATIVE_SERVICES } from '../../src/native/native-services.js'
import { openRuntime } from '../runtimes.js'

/** What a guest might hand to a service: of every type, and JSON of what the services read, spoilt. */
const ARGUMENTS = `
  let seed = 42
  const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 }
  const bytes = new Uint8Array(40).fill(7)
  const names = ['', 'sha256', 'SHA-256', 'AES-GCM', 'aes-128-cbc', 'HKDF', 'PBKDF2', 'RSA-PSS', 'ECDH', 'Ed25519', 'rsa', 'ec', 'gzip', 'utf-8', '__proto__', 'constructor', 'toString', 'x'.repeat(1000)]
  const values = [undefined, null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, -0, '', '5', 'NaN', [], {}, [[]], { at: 0 }, { at: 99 }, { at: -1 }, { at: '0' }, { key: 1 }, { key: {} }, { name: 'SHA-256' }, { name: {} }, ...names]
  const keys = ['algorithm', 'key', 'baseKey', 'data', 'signature', 'format', 'keyData', 'length', 'extractable', 'keyUsages', 'derivedKeyType', 'wrapAlgorithm', 'wrappingKey', 'wrappedKey', 'unwrapAlgorithm', 'unwrappingKey', 'unwrappedKeyAlgorithm', 'iterations', 'digest', 'N', 'r', 'p', 'maxmem', 'kind', 'type', 'options', 'operation', 'step', 'id', 'jwk', 'privateKey', 'publicKey', 'decrypt', 'authTagLength', 'locale', 'locales', 'value', 'encoding', 'level']
  const members = ['name', 'hash', 'iv', 'counter', 'salt', 'info', 'iterations', 'length', 'modulusLength', 'publicExponent', 'namedCurve', 'public', 'tagLength', 'label', 'saltLength']
  const pick = (list) => list[Math.floor(random() * list.length)]
  const some = (list, value) => { const made = {}; for (let i = random() * 6; i > 0; i--) made[pick(list)] = value(); return made }
  const json = () => { const made = some(keys, () => pick([() => pick(values), () => some(members, () => pick(values)), () => [pick(values)]])()); try { return JSON.stringify(made) } catch { return '{}' } }
  const argument = () => pick([json, json, () => pick(values), () => bytes, () => new ArrayBuffer(3), () => bytes.subarray(3, 3), () => new DataView(bytes.buffer), () => new Proxy(bytes, {}), () => Symbol('x'), () => 10n, () => argument, () => '[' .repeat(5000), () => '{"a":' .repeat(5000), () => 'null', () => '"text"', () => '{'])()
`

describe.each([0, 1])('with threads: %i', (threads) => {
  const runtime = openRuntime({ threads, timeoutMs: 20_000, maxHostCalls: 100_000 })

  it.each([...NATIVE_SERVICES.keys()])(
    '%s answers or refuses, whatever its arguments are',
    async (name) => {
      const { value, error } = await runtime.executeHandler<string[]>(
        `${ARGUMENTS}
        export default async () => {
          const native = globalThis[Symbol.for('nexus.native')]
          const wrong = []
          const look = (made, args) => {
            const isAnswer = typeof made === 'string' || made instanceof ArrayBuffer
            const isRefusal = made instanceof Error && made.message !== '' && !/\\bat .*\\.[jt]s:|node:internal|Cannot read prop|is not a function|is not iterable/.test(made.message)
            if (!isAnswer && !isRefusal) wrong.push(String(made && made.message) + ' ' + args.map(String.bind(null)).join().slice(0, 200))
          }
          for (let i = 0; i < 40; i++) {
            const args = Array.from({ length: random() * 5 }, argument)
            try { look(native.now('${name}', ...args), args) } catch (error) { look(error, args) }
            try { look(await native.later('${name}', ...args), args) } catch (error) { look(error, args) }
          }
          return wrong
        }`,
        { event: null },
      )
      expect(error).toBeUndefined()
      expect(value).toEqual([])
    },
  )
})
