import { afterAll, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const SECRET = 'the-secret-of-another-handler'

/** The memory of every engine that this process starts. */
const memories: WebAssembly.Memory[] = []
const { instantiate } = WebAssembly
WebAssembly.instantiate = (async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
  const instance = await instantiate(module, imports)
  const { memory } = instance.exports
  if (memory instanceof WebAssembly.Memory) memories.push(memory)
  return instance
}) as typeof WebAssembly.instantiate
afterAll(() => {
  WebAssembly.instantiate = instantiate
})

function holdsSecret(): boolean {
  return memories.some(({ buffer }) => Buffer.from(buffer).includes(SECRET))
}

/** Leaves the secret in every kind of memory that the engine has, and fails if it is told to. */
const keeper = `
export default async (event, ctx) => {
  const kept = []
  for (let i = 0; i < 200; i++) {
    kept.push(event.secret + i, new TextEncoderLike(event.secret), Symbol.for(event.secret + i), { [event.secret + i]: i })
    kept.push(new Error(event.secret + i), () => event.secret, new RegExp(event.secret + i), [...event.secret])
  }
  globalThis[event.secret] = kept
  setTimeout(() => event.secret, 1e6)
  ctx.log.info(event.secret)
  if (event.fails) throw new Error(event.secret)
  if (event.loops) for (;;) kept.push(event.secret + kept.length)
  return kept.length
}
class TextEncoderLike { constructor(text) { this.bytes = Uint8Array.from(text, (c) => c.charCodeAt(0)) } }
`

/** Looks at every kind of memory that it is given, and counts what is not empty. */
const snooper = `
export default () => {
  let used = 0
  const look = (bytes) => { for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) used++ }
  for (const size of [16, 1000, 4096, 100000]) {
    look(new Uint8Array(size))
    look(new Uint8Array(new ArrayBuffer(size)))
    look(new Uint8Array(new SharedArrayBuffer(size)))
    look(new Uint8Array(new Float64Array(size / 4).buffer))
    look(new Uint8Array(new ArrayBuffer(8).transfer(size)))
    look(new Uint8Array(new ArrayBuffer(8).transferToFixedLength(size)))
    const resizable = new ArrayBuffer(8, { maxByteLength: size })
    resizable.resize(size); look(new Uint8Array(resizable))
    const shrunk = new Uint8Array(new ArrayBuffer(size, { maxByteLength: size })).fill(1)
    shrunk.buffer.resize(8); shrunk.buffer.resize(size); look(shrunk.subarray(8))
    look(new Uint8Array(size).slice(0, size)); look(Uint8Array.from({ length: size })); look(Uint8Array.of(...new Array(16)))
  }
  return used
}
`

it.each([
  ['returned', { secret: SECRET }],
  ['threw', { secret: SECRET, fails: true }],
  ['ran into its memory limit', { secret: SECRET, loops: true }],
])('nothing of a handler that %s is left in the sandbox of the next', async (_name, event) => {
  memories.length = 0
  const runtime = openRuntime({ threads: 0, maxInstances: 1, memoryLimitBytes: 4 * 1024 * 1024 })
  await runtime.executeHandler(keeper, { event }, 20_000)
  expect(holdsSecret()).toBe(true)

  const { value, error } = await runtime.executeHandler(snooper, { event: null }, 20_000)
  expect(error).toBeUndefined()
  expect(value).toBe(0)
  const { pool } = runtime.getStats().engines[0]!
  // The same sandbox was handed over, or it had grown and is gone with all it held.
  expect(pool.rebinds + pool.discards.growth).toBeGreaterThan(0)
  if (pool.rebinds > 0) expect(holdsSecret()).toBe(false)
})

it('a call is given no memory that an earlier call of the same handler has written to', async () => {
  const runtime = openRuntime({ threads: 0, maxInstances: 1 })
  const both = `${keeper.replace('export default', 'const keep =')}
${snooper.replace('export default', 'const snoop =')}
export default (event, ctx) => (event === 'snoop' ? snoop() : keep(event, ctx))`
  for (let i = 0; i < 3; i++) {
    await runtime.executeHandler(both, { event: { secret: SECRET } }, 20_000)
    expect((await runtime.executeHandler(both, { event: 'snoop' }, 20_000)).value).toBe(0)
  }
})
