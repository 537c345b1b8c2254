import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 0 })

describe('evaluate', () => {
  it.each([
    '1 + 1',
    'var x = 3; x * 2',
    'let y = 1; { y += 1 } y',
    'if (true) "yes"; else "no"',
    '({ a: 1 })',
    '{ a: 1 }',
    'for (var i = 0; i < 3; i++) i * 10',
    'function f() { return 5 } f()',
    'undeclared = 4; undeclared + 1',
    'this === globalThis',
    'typeof require',
    'new URL("https://a.example/b?c=1").searchParams.get("c") ?? 0',
    '"\u2028" + `\\n`',
  ])('gives what a script gives in Node: %s', async (script) => {
    const { value, error } = await runtime.evaluate(script)
    expect(error).toBeUndefined()
    expect(value).toEqual(runInNewContext(script, { URL }))
  })

  it('gives nothing for a script without an expression', async () => {
    const { status, value } = await runtime.evaluate('// nothing')
    expect([status, value]).toEqual(['success', undefined])
  })

  it('waits for a promise', async () => {
    expect(await runtime.evaluate('(async () => { await null; return 4 })()')).toMatchObject({
      value: 4,
    })
  })

  it('computes with the globals it is given', async () => {
    const globals = { price: 100, rate: 0.2, round: (n: number) => Math.round(n) }
    expect(await runtime.evaluate('round(price * (1 + rate))', { globals })).toMatchObject({
      value: 120,
    })
  })

  it('says where in the script an error is', async () => {
    const script = 'const total = 1\nmissing(total)'
    expect((await runtime.evaluate(script)).error).toMatchObject({
      name: 'ReferenceError',
      location: { file: '<input>', line: 2, column: 1 },
      sourceLines: expect.stringContaining('> 2 | missing(total)'),
    })
  })

  it('says where in the script the language is broken', async () => {
    expect((await runtime.evaluate('let a = 1\nlet b = ;')).error).toMatchObject({
      name: 'SyntaxError',
      location: { line: 2 },
    })
  })

  it('holds the limits of a call', async () => {
    expect((await runtime.evaluate('for (;;);', {}, 50)).error?.code).toBe('TIMEOUT')
    const hungry = 'const all = []; for (;;) all.push(new Array(1000).fill(1))'
    expect((await runtime.evaluate(hungry)).error?.code).toBe('MEMORY_LIMIT')
  })

  it('leaves nothing to the next script', async () => {
    await runtime.evaluate('globalThis.left = 1; Object.prototype.left = 1')
    expect(await runtime.evaluate('[typeof left, ({}).left]')).toMatchObject({
      value: ['undefined', null],
    })
  })

  it.each([[undefined], [null], [7], [{}]])('refuses %s as a script', async (script) => {
    await expect(runtime.evaluate(script as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })
})
