import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const MiB = 1024 * 1024
/** Uses up the memory, and goes on. */
const FILL =
  'const kept = []; try { for (;;) kept.push(new ArrayBuffer(65536)) } catch {} kept.length = 0;'
/** Uses nearly all of it without being refused anything. */
const NEARLY = 'const kept = new Uint8Array(7.3 * 1024 * 1024); kept.fill(1);'

const FORGED = [
  "throw new InternalError('out of memory')",
  "throw Object.assign(new Error('out of memory'), { name: 'InternalError' })",
  "throw { name: 'InternalError', message: 'out of memory' }",
  'throw null',
  "throw Object.assign(new Error('x'), { code: 'MEMORY_LIMIT' })",
  "await Promise.reject(new InternalError('out of memory'))",
  'await new Promise(() => {})',
]

describe.each([
  ['inline', openRuntime({ threads: 0 })],
  ['on threads', openRuntime({ threads: 1 })],
])('%s', (_, runtime) => {
  const codeOf = async (body: string) => {
    const limits = { memoryLimitBytes: 8 * MiB, timeoutMs: 20_000 }
    return (await runtime.executeHandler(handler(body), { event: 1 }, limits)).error?.code
  }

  it.each(FORGED)('no guest that was refused no memory ends in MEMORY_LIMIT: %s', async (body) => {
    expect(await codeOf(body)).toBe('EXECUTION_ERROR')
    expect(await codeOf(`${NEARLY} ${body}`)).toBe('EXECUTION_ERROR')
  })

  it.each([
    'for (const kept = []; ; ) kept.push(new ArrayBuffer(65536))',
    'new Uint8Array(9 * 1024 * 1024)',
    "'x'.repeat(9 * 1024 * 1024)",
    'let kept = null; for (;;) kept = { kept }',
    'await 0; const kept = []; for (;;) kept.push({})',
    "new RegExp('(?:abc)'.repeat(5e5))",
  ])('a guest that was refused memory ends in MEMORY_LIMIT: %s', async (body) => {
    expect(await codeOf(body)).toBe('MEMORY_LIMIT')
  })

  it('a guest may pass off an error of a regular expression as one, which only its own call is told', async () => {
    expect(await codeOf("throw new SyntaxError('out of memory')")).toBe('MEMORY_LIMIT')
  })

  it('a guest that survives a refusal is told by its own error, and the next call starts without one', async () => {
    expect(await codeOf(`${FILL} throw new TypeError('mine')`)).toBe('EXECUTION_ERROR')
    expect(await codeOf(`${FILL} return 1`)).toBeUndefined()
    expect(await codeOf("throw new InternalError('out of memory')")).toBe('EXECUTION_ERROR')
  })
})
