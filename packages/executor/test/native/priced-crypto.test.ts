import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { threadPoolSlots } from '../../src/native/thread-pool-slots.js'
import { handler, openRuntime } from '../runtimes.js'

const takenSlots = () =>
  new Int32Array(threadPoolSlots()).subarray(1).filter((owner) => owner !== 0).length

const PBKDF2 = (iterations: number) =>
  `crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: ${iterations} }, await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']), 256)`

const runtime = openRuntime({ threads: 2 })

describe('work that takes longer than the call has is refused before it starts:', () => {
  it.each([
    ['five million rounds of PBKDF2', PBKDF2(5_000_000), 'crypto.subtle.deriveBits (PBKDF2)'],
    [
      'a million bytes from many rounds',
      `crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(8), iterations: 1000 }, await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']), 8_000_000)`,
      'crypto.subtle.deriveBits (PBKDF2)',
    ],
    [
      'an RSA key of 16,384 bits',
      `crypto.subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify'])`,
      'crypto.subtle.generateKey (RSA-PSS)',
    ],
    [
      'a derived key behind many rounds',
      `crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4_000_000 }, await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveKey']), { name: 'AES-GCM', length: 256 }, false, ['encrypt'])`,
      'crypto.subtle.deriveKey (PBKDF2)',
    ],
  ])('%s', async (_, expression, what) => {
    const { error } = await runtime.executeHandler(
      handler(`return await ${expression}`),
      { event: null },
      { timeoutMs: 1000 },
    )
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT', name: 'RangeError' })
    expect(error?.message).toContain(`${what} would take about`)
  })

  it('many small ones that together take longer', async () => {
    const { error } = await runtime.executeHandler(
      handler(`await Promise.all(Array.from({ length: 100 }, async () => ${PBKDF2(100_000)}))`),
      { event: null },
      { timeoutMs: 1000 },
    )
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it('and the same work is done where there is time for it', async () => {
    const { value } = await runtime.executeHandler(
      handler(`return (await ${PBKDF2(100_000)}).byteLength`),
      { event: null },
      { timeoutMs: 60_000 },
    )
    expect(value).toBe(32)
  })
})

describe('the same in node:crypto:', () => {
  const run = (expression: string, options: object = {}) =>
    runtime.executeHandler(
      `import crypto from 'node:crypto'; ${handler(`return (${expression}).length`)}`,
      { event: null },
      { timeoutMs: 1000, ...options },
    )

  it.each([
    ['crypto.pbkdf2 (sha512)', `crypto.pbkdf2Sync('p', 's', 5_000_000, 32, 'sha512')`],
    ['crypto.hkdf (sha1)', `crypto.hkdfSync('sha1', Buffer.alloc(5_000_000), '', '', 5000)`],
    [
      'crypto.scrypt (N 65536, r 8, p 16)',
      `crypto.scryptSync('p', 's', 32, { N: 65536, r: 8, p: 16, maxmem: 2 ** 40 })`,
    ],
    [
      'crypto.generateKeyPair (rsa)',
      `crypto.generateKeyPairSync('rsa', { modulusLength: 16384 }).publicKey.type`,
    ],
  ])('%s', async (what, expression) => {
    const { error } = await run(expression)
    expect(error).toMatchObject({ code: 'RESOURCE_LIMIT' })
    expect(error?.message).toContain(`${what} would take about`)
  })

  it('scrypt takes no more memory than the call has, whatever maxmem says', async () => {
    const { error } = await run(
      `crypto.scryptSync('p', 's', 32, { N: 32768, r: 16, p: 1, maxmem: 2 ** 40 })`,
      { timeoutMs: 60_000 },
    )
    expect(error?.code).toBe('RESOURCE_LIMIT')
    expect(error?.message).toMatch(/would take \d+ bytes/)
  })

  it('a key with a passphrase is refused: its author chooses how long it takes to open', async () => {
    const { error } = await run(`crypto.createPrivateKey({ key: 'text', passphrase: 'x' })`)
    expect(error?.message).toMatch(/passphrase/)
  })

  it('a cipher has a state, so a module cannot leave one to its calls', async () => {
    const { error } = await runtime.executeHandler(
      `import crypto from 'node:crypto'
       const cipher = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
       export default () => cipher.update('a', 'utf8', 'hex')`,
      { event: null },
    )
    expect(error?.message).toMatch(/cannot be made while the module loads/)
  })
})

it('a key that the host would have no memory for is not made', async () => {
  const { error } = await runtime.executeHandler(
    handler(
      `return crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 2 ** 31 }, true, ['sign'])`,
    ),
    { event: null },
  )
  expect(error?.code).toBe('RESOURCE_LIMIT')
})

it('heavy work of several calls leaves a thread of the pool to the program', async () => {
  let running = true
  const calls = Promise.all(
    Array.from({ length: 8 }, () =>
      runtime.executeHandler(
        handler(`await ${PBKDF2(400_000)}`),
        { event: null },
        { timeoutMs: 60_000 },
      ),
    ),
  ).then((results) => {
    running = false
    return results
  })
  let reads = 0
  while (running) {
    await readFile(fileURLToPath(import.meta.url))
    reads++
  }
  for (const { error } of await calls) expect(error).toBeUndefined()
  // With every thread of the pool taken, a read would wait for the end of a derivation: there are 8.
  expect(reads).toBeGreaterThan(20)
})

it('a thread that is ended in the middle of such work gives its slot back', async () => {
  const spin = handler(
    `const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits'])
     void crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 40_000 }, key, 256)
     await new Promise((resolve) => setTimeout(resolve, 0))
     new Array(2 ** 32 - 1).join()`,
  )
  const call = runtime.executeHandler(spin, { event: null }, { timeoutMs: 2000 })
  // The thread that spins hears nothing of the end of its work.
  await expect.poll(takenSlots).toBe(1)
  expect((await call).error?.code).toBe('TIMEOUT')
  await expect.poll(takenSlots).toBe(0)
})
