import { describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

describe.each([
  ['inline', { threads: 0 }],
  ['on threads', { threads: 2 }],
])('a context as a REPL, %s', (_name, options) => {
  const runtime = openRuntime(options)

  /** What each script gives: its value, or its error. */
  async function lines(...scripts: string[]): Promise<unknown[]> {
    await using context = runtime.createContext({ timeoutMs: 2000 })
    const shown: unknown[] = []
    for (const script of scripts) {
      const { value, error } = await context.evaluate(script)
      shown.push(error ? `${error.name}: ${error.message}` : value)
    }
    return shown
  }

  it('keeps what scripts declare', async () => {
    expect(
      await lines(
        'let a = 1; const b = 2; var c = 3; d = 4; function f(n) { return n * 10 } class K { #x = 5; get x() { return this.#x } }',
        'a + b + c + d',
        'a += 1; f(a)',
        'new K().x',
        '[typeof a, typeof K, this === globalThis]',
      ),
    ).toEqual([4, 10, 20, 5, ['number', 'function', true]])
  })

  it('keeps what lives in the heap: closures, Maps, generators, regular expressions, promises', async () => {
    expect(
      await lines(
        `const count = (() => { let n = 0; return () => ++n })()
         const map = new Map([['k', new Set([1])]]); const it = (function* () { yield 1; yield 2 })()
         const re = /b/g; re.test('abc'); const later = new Promise((resolve) => { globalThis.settle = resolve })
         const seen = []; later.then((value) => seen.push(value)); count() + it.next().value`,
        `settle('now'); [count(), it.next().value, re.lastIndex, map.get('k').has(1)]`,
        'seen.concat(await later)',
      ),
    ).toEqual([2, [2, 2, 2, true], ['now', 'now']])
  })

  it('takes await outside of functions, and waits for a promise', async () => {
    expect(
      await lines(
        'const x = await Promise.resolve(20)',
        'await (async () => x + 1)()',
        '(async () => x)()',
      ),
    ).toEqual([undefined, 21, 20])
  })

  it('goes on after errors, with what the scripts did before them', async () => {
    expect(
      await lines(
        'let n = 1; throw new RangeError("no")',
        'n',
        'let n = 2',
        'let broken = ;',
        'missing',
        'n + 1',
      ),
    ).toEqual([
      'RangeError: no',
      1,
      expect.stringMatching(/^SyntaxError: .*n/),
      expect.stringMatching(/^SyntaxError: /),
      expect.stringMatching(/^ReferenceError: missing/),
      2,
    ])
  })

  it('says where in the script an error is', async () => {
    await using context = runtime.createContext()
    await context.evaluate('function fail() { throw new Error("inside") }')
    const { error } = await context.evaluate('1\nfail()')
    expect(error).toMatchObject({
      message: 'inside',
      location: { file: '<input 2>', line: 2 },
      sourceLines: expect.stringContaining('> 2 | fail()'),
    })
  })

  it('logs to the script that logged', async () => {
    await using context = runtime.createContext()
    await context.evaluate('const log = (text) => console.log(text); log("one")')
    const { logs } = await context.evaluate('log("two")')
    expect(logs.map(({ message }) => message)).toEqual(['two'])
  })

  it('has the parts of the platform that any of its scripts names', async () => {
    expect(
      await lines(
        'const host = (text) => new URL(text).host; typeof TextEncoder',
        'host("https://a.example/b")',
        'new TextEncoder().encode("é").length',
        'structuredClone(new Map([[1, 2]])).get(1)',
      ),
    ).toEqual(['function', 'a.example', 2, 2])
  })

  it('keeps keys, though they are of the host', async () => {
    const text = `new Uint8Array([1, 2, 3])`
    expect(
      await lines(
        `const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
         const signature = await crypto.subtle.sign('HMAC', key, ${text}); signature.byteLength`,
        `await crypto.subtle.verify('HMAC', key, signature, ${text})`,
      ),
    ).toEqual([32, true])
  })

  it('drops timers and host calls that are open when a script ends', async () => {
    await using context = runtime.createContext({ globals: { slow: () => new Promise(() => {}) } })
    await context.evaluate(
      'let fired = 0; setTimeout(() => fired++, 1); setInterval(() => fired++, 1); slow(); 1',
    )
    const { value } = await context.evaluate(
      'await new Promise((resolve) => setTimeout(resolve, 20)); fired',
    )
    expect(value).toBe(0)
  })

  it('runs jobs that a script queued before the next script', async () => {
    expect(await lines('let n = 0; Promise.resolve().then(() => { n = 1 }); n', 'n')).toEqual([
      0, 1,
    ])
  })

  it('has a clock that goes on, and other random numbers each time', async () => {
    const [before, after, one, other] = await lines(
      'performance.now()',
      'performance.now()',
      'Math.random()',
      'Math.random()',
    )
    expect(after).toBeGreaterThanOrEqual(before as number)
    expect(one).not.toBe(other)
  })

  it('runs scripts that are handed over at once in their order', async () => {
    await using context = runtime.createContext({ globals: { wait: async () => {} } })
    const results = await Promise.all([
      context.evaluate('let list = []; await wait(); list.push(1)'),
      context.evaluate('await wait(); list.push(2)'),
      context.evaluate('list.push(3); list'),
    ])
    expect(results[2]!.value).toEqual([1, 2, 3])
  })

  it('shares nothing between contexts, and nothing with handlers', async () => {
    await using one = runtime.createContext()
    await using other = runtime.createContext()
    await one.evaluate('globalThis.secret = 1; Object.prototype.left = 1; let own = 1')
    expect((await other.evaluate('[typeof secret, typeof own, ({}).left]')).value).toEqual([
      'undefined',
      'undefined',
      null,
    ])
    expect((await runtime.evaluate('typeof secret')).value).toBe('undefined')
  })
})
