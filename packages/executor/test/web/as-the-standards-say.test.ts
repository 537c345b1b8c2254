import { expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 20_000 })
const thrown = (code: string) =>
  `(async () => { try { ${code}; return 'ok' } catch (e) { return [e.name, e.code] } })()`

// What Node 20 lacks or does otherwise, or what Node 20 and 24 do differently.
it.each<[expression: string, expected: unknown]>([
  [`new Blob(['a\\r\\nb\\rc\\nd'], { endings: 'native' }).text()`, 'a\nb\nc\nd'],
  [
    thrown(
      `await new Response(new Blob(['no gzip']).stream().pipeThrough(new DecompressionStream('gzip'))).text()`,
    ),
    ['TypeError', undefined],
  ],
  [`new TextDecoder('latin1').decode(new Uint8Array([0x80, 0x9f, 0xe4]))`, '€Ÿä'],
  [`new TextDecoder('iso-8859-16').decode(new Uint8Array([0xa1, 0xa4, 0xff, 0xaa]))`, 'Ą€ÿȘ'],
  [`new TextDecoder('x-user-defined').decode(new Uint8Array([0x41, 0x80, 0xff]))`, 'A\uf780\uf7ff'],
  [`new TextDecoder('ibm866').decode(new Uint8Array([0x1a, 0x1c, 0x7f, 0x80]))`, '\x1a\x1c\x7fА'],
  [
    `(() => { const e = new Event('x'); const t = new EventTarget(); let n; t.addEventListener('x', () => { try { t.dispatchEvent(e) } catch (x) { n = [x.name, x.code] } }); t.dispatchEvent(e); return n })()`,
    ['InvalidStateError', 11],
  ],
  [
    `(() => { const a = new AbortController(); const any = AbortSignal.any([a.signal]); let seen; a.signal.addEventListener('abort', () => { seen = [any.aborted, any.reason] }); a.abort('why'); return seen })()`,
    [true, 'why'],
  ],
  [
    `(() => { const a = new AbortController(); const one = AbortSignal.any([a.signal]); const two = AbortSignal.any([one, a.signal]); const order = []; two.onabort = () => order.push('two'); one.onabort = () => order.push('one'); a.signal.onabort = () => order.push('a'); a.abort(); return order })()`,
    ['a', 'one', 'two'],
  ],
  [thrown('structuredClone(1, { transfer: [{}] })'), ['DataCloneError', 25]],
  [
    `[self === globalThis, navigator.userAgent, String(navigator)]`,
    [true, 'Nexus', '[object Navigator]'],
  ],
  [
    `(() => { const e = new ErrorEvent('error', { message: 'm', filename: 'f', lineno: 3, colno: 4, error: 5 }); return [e.message, e.filename, e.lineno, e.colno, e.error, e instanceof Event] })()`,
    ['m', 'f', 3, 4, 5, true],
  ],
  [
    `(() => { const promise = Promise.resolve(); const e = new PromiseRejectionEvent('unhandledrejection', { promise, reason: 'r' }); return [e.promise === promise, e.reason] })()`,
    [true, 'r'],
  ],
  // structuredClone
  [
    `(() => { const c = structuredClone(new DOMException('m', 'AbortError')); return [c instanceof DOMException, c.name, c.message, c.code, typeof c.stack] })()`,
    [true, 'AbortError', 'm', 20, 'string'],
  ],
  [
    `(async () => { const c = structuredClone([new Blob(['b'], { type: 'a/b' }), new File(['f'], 'n', { lastModified: 3 })]); return [c[0].type, await c[0].text(), c[1].name, c[1].lastModified, await c[1].text()] })()`,
    ['a/b', 'b', 'n', 3, 'f'],
  ],
  ...[
    'new URL("http://a/")',
    'new Headers()',
    'new Response()',
    'new AbortController().signal',
    'new FormData()',
    'new SharedArrayBuffer(1)',
    'new Uint8Array(new SharedArrayBuffer(1))',
    'new ReadableStream()',
  ].map((made): [string, unknown] => [thrown(`structuredClone(${made})`), ['DataCloneError', 25]]),
  [
    thrown(`const s = new ReadableStream(); structuredClone(s, { transfer: [s] })`),
    ['DataCloneError', 25],
  ],
  [
    `(() => { const e = new Error('loop'); e.cause = { e }; const c = structuredClone(e); return c.cause.e === c })()`,
    true,
  ],
  [
    `(() => { const b = new ArrayBuffer(2, { maxByteLength: 8 }); const c = structuredClone(b); return [c.resizable, c.maxByteLength, c.byteLength] })()`,
    [true, 8, 2],
  ],
  // URLPattern
  [
    `(() => { const p = new URLPattern({ pathname: '/books/:id(\\\\d+)' }); return [p.test('https://a.example/books/12'), p.test('https://a.example/books/x'), p.exec('https://a.example/books/12').pathname.groups.id, p.pathname] })()`,
    [true, false, '12', '/books/:id(\\d+)'],
  ],
  [
    `(() => { const p = new URLPattern('/:a/*', 'https://b.example'); const m = p.exec('https://b.example/x/y/z'); return [m.pathname.groups, p.hostname, p.hasRegExpGroups] })()`,
    [{ a: 'x', 0: 'y/z' }, 'b.example', false],
  ],
  [thrown(`new URLPattern('/:')`), ['TypeError', undefined]],
])('%s', async (expression, expected) => {
  const { value, error } = await runtime.executeHandler(handler(`return ${expression}`), {
    event: null,
  })
  expect(error).toBeUndefined()
  expect(value).toEqual(JSON.parse(JSON.stringify(expected)))
})

it('reportError logs an error and lets the call go on', async () => {
  const { value, logs } = await runtime.executeHandler(
    handler(`reportError(new RangeError('reported')); return 'went on'`),
    { event: null },
  )
  expect(value).toBe('went on')
  expect(logs[0]).toMatchObject({ level: 'error', message: expect.stringContaining('reported') })
})

it('what is unpacked is bounded by the memory of the call', async () => {
  const { error } = await runtime.executeHandler(
    handler(`
      const zeros = new ReadableStream({ start(c) { this.left = 64 }, pull(c) { if (this.left-- === 0) c.close(); else c.enqueue(new Uint8Array(1024 * 1024)) } })
      const packed = await new Response(zeros.pipeThrough(new CompressionStream('gzip'))).arrayBuffer()
      if (packed.byteLength > 100_000) throw new Error('expected a small bomb')
      return (await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()).byteLength`),
    { event: null },
    { memoryLimitBytes: 24 * 1024 * 1024 },
  )
  expect(['RESOURCE_LIMIT', 'MEMORY_LIMIT']).toContain(error?.code)
})

it('a compression stream of a module cannot be written to while it loads, and no call sees the bytes of another', async () => {
  const code = `const stream = new CompressionStream('deflate-raw')
    export default async (event) => {
      const writer = stream.writable.getWriter()
      const packed = new Response(stream.readable).arrayBuffer()
      await writer.write(new TextEncoder().encode(event))
      await writer.close()
      return (await new Response(new Blob([await packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text())
    }`
  for (const event of ['first', 'second', 'third']) {
    expect((await runtime.executeHandler(code, { event })).value).toBe(event)
  }
})
