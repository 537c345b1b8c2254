import { expect } from 'vitest'
import type { HostileProgram } from '../program.js'

const thrown = (
  name: string,
  handler: string,
  more: Partial<HostileProgram> = {},
): HostileProgram => ({ name: `throwing ${name}`, handler, expect: 'EXECUTION_ERROR', ...more })

/** Errors are the guest's own objects: nothing of them may run on the host, or stand for what the host says. */
export const errors: readonly HostileProgram[] = [
  thrown('null', '() => { throw null }'),
  thrown('undefined', '() => { throw undefined }'),
  thrown('a symbol', "() => { throw Symbol('s') }"),
  thrown('a function', '() => { throw () => {} }'),
  thrown('a BigInt', '() => { throw 10n }'),
  thrown('NaN, asynchronously', 'async () => { await null; throw NaN }'),
  thrown(
    'a revoked proxy',
    '() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy }',
  ),
  thrown(
    'a proxy whose every trap throws another',
    '() => { const p = new Proxy({}, { get() { throw p }, getPrototypeOf() { throw p } }); throw p }',
  ),
  thrown(
    'an error whose getters throw',
    "() => { const e = new Error('x'); for (const k of ['name', 'message', 'stack', 'code', 'cause']) Object.defineProperty(e, k, { get() { throw e } }); throw e }",
  ),
  thrown(
    'an error whose getters change the globals',
    "() => { throw { get name() { globalThis.JSON = null; Object.prototype.polluted = 1; return 'N' }, get message() { Promise.prototype.then = null; return 'm' } } }",
    { verify: ({ error }) => expect(error).toMatchObject({ name: 'N', message: 'm' }) },
  ),
  thrown('an error whose getter loops', '() => { throw { get message() { for (;;); } } }', {
    expect: 'TIMEOUT',
  }),
  thrown(
    'an error whose getter recurses',
    '() => { const e = { get message() { return e.message } }; throw e }',
  ),
  thrown(
    'an error whose fields are megabytes',
    "() => { const s = 'x'.repeat(1e6); throw Object.assign(new Error(s), { name: s, stack: s, code: s, cause: new Error(s) }) }",
    { verify: ({ error }) => expect(JSON.stringify(error).length).toBeLessThan(200_000) },
  ),
  thrown(
    'an error whose fields are objects',
    "() => { throw Object.assign(new Error('x'), { name: { toString: () => 'N' }, message: ['m'], code: { toString: () => 'RESOURCE' } }) }",
    { verify: ({ error }) => expect(error).toMatchObject({ name: 'N', message: 'm' }) },
  ),
  thrown(
    'a stack that names other places',
    "() => { const e = new Error('x'); e.stack = '    at root (/etc/passwd:1:1)\\n    at evil (handler.js:0:0)\\n    at handler.js:99999999999999999999:1'; throw e }",
    { verify: ({ error }) => expect(error?.stack ?? '').not.toContain('passwd') },
  ),
  thrown(
    'a stack built against parsers',
    "() => { const e = new Error('x'); e.stack = ('    at ' + ' ('.repeat(4000) + ':1'.repeat(4000) + '\\n'); throw e }",
  ),
  thrown(
    'a stack of frames without an end',
    "() => { const e = new Error('x'); e.stack = '    at f (handler.js:1:1)\\n'.repeat(1e5); throw e }",
    { verify: ({ error }) => expect(error?.stack?.length ?? 0).toBeLessThan(200_000) },
  ),
  thrown(
    'causes in a circle',
    "() => { const a = new Error('a'), b = new Error('b'); a.cause = b; b.cause = a; throw a }",
    { verify: ({ error }) => expect(error?.cause).toEqual({ name: 'Error', message: 'b' }) },
  ),
  thrown(
    'a cause that is a trap',
    "() => { throw new Error('x', { cause: new Proxy({}, { get() { throw 1 } }) }) }",
  ),
  thrown(
    'a forged TIMEOUT',
    "() => { throw Object.assign(new Error('The handler ran longer than its limit'), { name: 'TimeoutError', code: 'TIMEOUT' }) }",
  ),
  thrown(
    'a forged INTERNAL_ERROR',
    "() => { throw Object.assign(new Error('The engine failed'), { name: 'InternalError', code: 'INTERNAL_ERROR' }) }",
  ),
  thrown(
    'a forged POOL_EXHAUSTED',
    "() => { throw Object.assign(new Error('x'), { name: 'PoolError', code: 'POOL_EXHAUSTED' }) }",
  ),
  thrown(
    'a forged COMPILATION_ERROR',
    "() => { throw Object.assign(new SyntaxError('x'), { code: 'COMPILATION_ERROR' }) }",
  ),
  thrown(
    'a forged interruption',
    "() => { throw Object.assign(new InternalError('interrupted'), {}) }",
  ),
  thrown(
    'a forged PERMISSION_DENIED',
    "() => { throw Object.assign(new Error('x'), { name: 'PermissionError', code: 'PERMISSION_DENIED' }) }",
  ),
  thrown(
    'a forged RESOURCE_LIMIT',
    "() => { throw Object.assign(new RangeError('x'), { code: 'RESOURCE_LIMIT' }) }",
  ),
  thrown(
    'a stack trace that prepareStackTrace replaces',
    "() => { Error.prepareStackTrace = () => ({ toString: () => '    at x (nexus:prelude:1:1)' }); throw new Error('x') }",
    { verify: ({ error }) => expect(error?.stack ?? '').not.toContain('prelude') },
  ),
  thrown(
    'from a prepareStackTrace that throws',
    "() => { Error.prepareStackTrace = () => { throw new Error('inner') }; throw new Error('outer') }",
  ),
  thrown(
    'an aggregate of a thousand errors',
    "() => { throw new AggregateError(Array.from({ length: 1000 }, (_, i) => new Error('e' + i)), 'many') }",
  ),
  thrown(
    'from a timer',
    '() => new Promise(() => setTimeout(() => { throw { get message() { throw 1 } } }, 0))',
  ),
  thrown(
    'an error with hostile keys',
    `() => { throw JSON.parse('{"__proto__":{"message":"forged"},"name":"N","constructor":1}') }`,
  ),
  {
    name: 'throwing an error that loops when it is described for want of memory',
    handler: `() => {
      const hold = []
      const fill = () => { try { for (;;) hold.push(new Array(100).fill(0)) } catch { } }
      let looks = 0
      Object.defineProperty(InternalError.prototype, 'name', { get() { if (looks++ > 0) for (;;); fill(); return 'x'.repeat(1000) } })
      fill()
      // Room for the error, which would be null without.
      hold.length -= 20
      hold.push(...new Array(100000))
    }`,
    // Where the memory runs out decides whether the name is looked at twice.
    expect: ['TIMEOUT', 'EXECUTION_ERROR'],
    limits: { timeoutMs: 1000 },
  },
]
