import { HandlerCompiler } from '@nexus/compile-cache'
import { afterAll, describe, expect, it } from 'vitest'
import { PARTS } from '../../src/guest/platform/parts.js'
import { partsOf } from '../../src/guest/platform/parts-of.js'
import { handler, openRuntime } from '../runtimes.js'

/** Parts complete these; the engine has them in any handler. */
const OF_ENGINE = ['WeakRef', 'atob', 'btoa', 'queueMicrotask']
/** Every global that a handler has only when its code names it. */
const WEB_APIS = Object.values(PARTS)
  .flatMap(({ globals }) => globals)
  .filter((name) => !OF_ENGINE.includes(name))

const runtime = openRuntime({ threads: 0 })

async function run(body: string, event: unknown = null) {
  const result = await runtime.executeHandler(handler(body), { event })
  if (result.error) throw new Error(`${result.error.name}: ${result.error.message}`)
  return result.value
}

/** Gives in the sandbox what it gives here. */
async function same(expression: string) {
  const here = await new Function(`return (async () => ${expression})()`)()
  expect(await run(`return ${expression}`)).toEqual(JSON.parse(JSON.stringify(here)))
}

describe('as in Node', () => {
  it.each([
    `new URL('../x?q=ä#h', 'https://User@münchen.example:8080/a/b').href`,
    `URL.canParse('nope')`,
    `[...new URLSearchParams('b=2&a=1&a=%C3%A4')]`,
    `new TextDecoder().decode(new TextEncoder().encode('ü€𝄞'))`,
    `new URLSearchParams({ a: 'b c' }).toString()`,
    `new URLSearchParams(new Map([['a', '1'], ['b', '2']])).toString()`,
    `new URLSearchParams(new URLSearchParams('a=1&a=2')).getAll('a')`,
    `(() => { try { new URLSearchParams([['a']]) } catch (e) { return e.name } })()`,
    `(() => { const u = new URL('http://a/?x=1#h'); const p = u.searchParams; p.append('y', 'ü'); p.delete('x'); const one = u.href; u.search = '?z=3'; const two = p.get('z'); u.href = 'http://b/?q=4'; return [one, two, p.toString(), p === u.searchParams, p.get('y')] })()`,
    `[new URL('http://a'), new URLSearchParams(), new Headers(), new TextEncoder(), crypto].map((x) => Object.prototype.toString.call(x))`,
    `new Headers(new Map([['a', '1']])).get('a')`,
    `new Headers(new Headers({ A: '1' })).get('a')`,
    `(() => { try { new Headers({ 'a b': '1' }) } catch (e) { return e.name } })()`,
    `(() => { try { new Headers({ a: '1\\n2' }) } catch (e) { return e.name } })()`,
    `JSON.stringify({ u: new URL('http://a') })`,
    `Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000`,
    `[...new Headers([['B', '1'], ['a', '2'], ['b', '3']])]`,
    `new Headers([['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]).getSetCookie()`,
    `[...structuredClone(new Map([['k', new Set([1])]])).get('k')]`,
    `(() => { try { structuredClone(() => 1) } catch (e) { return [e.name, e.code, e instanceof DOMException] } })()`,
    `[atob(btoa('\\xff')), btoa('hello')]`,
    `[...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))]`,
    `new Promise((resolve) => { const order = []; queueMicrotask(() => order.push(1)); setTimeout(() => resolve(order), 0) })`,
    `new DOMException('m', 'AbortError').code`,
    `(() => { const seen = []; const t = new EventTarget(); const f = (e) => seen.push(e.type, e.target === t, e.currentTarget === t); t.addEventListener('a', f); t.addEventListener('a', f); t.addEventListener('a', { handleEvent: (e) => { seen.push('object'); e.stopImmediatePropagation() } }, { once: true }); t.addEventListener('a', () => seen.push('last')); t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); t.removeEventListener('a', f); t.dispatchEvent(new Event('a')); return seen })()`,
    `(() => { const e = new Event('a', { cancelable: true }); const t = new EventTarget(); t.addEventListener('a', (x) => x.preventDefault()); return [t.dispatchEvent(e), e.defaultPrevented, e.bubbles, e.target === t, e.currentTarget] })()`,
    `new CustomEvent('a', { detail: { n: 1 } }).detail`,
    `(() => { const c = new AbortController(); const seen = []; c.signal.onabort = () => seen.push('on'); c.signal.addEventListener('abort', () => seen.push('listener')); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name] })()`,
    `(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal, AbortSignal.abort('other')]); return [any.aborted, any.reason] })()`,
    `(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal]); c.abort('why'); return [any.aborted, any.reason] })()`,
    `(() => { try { new AbortSignal() } catch (e) { return e.name } })()`,
    `(() => { try { AbortSignal.abort().throwIfAborted() } catch (e) { return [e.name, e.code] } })()`,
    `new Promise((resolve) => { const s = AbortSignal.timeout(1); s.addEventListener('abort', () => resolve(s.reason.name)) })`,
    `new Request('http://a.example/x', { method: 'post', body: new URLSearchParams({ a: 'b c' }) }).text()`,
    `[...new Request('http://a.example/', { method: 'PUT', body: 'x', headers: { 'X-A': '1' } }).headers]`,
    `(() => { const r = new Request('http://a.example', { method: 'patch' }); return [r.method, r.url, r.redirect, r.signal.aborted] })()`,
    `(async () => { const r = new Response('{"a":1}', { status: 201, statusText: 'Made' }); const c = r.clone(); return [await r.json(), r.bodyUsed, await c.text(), c.status, c.statusText, c.ok] })()`,
    `(async () => { const r = new Response('x'); await r.text(); try { await r.text() } catch (e) { return e.name } })()`,
    `(async () => { const r = Response.json([1], { status: 202 }); return [r.headers.get('content-type'), r.status, await r.json()] })()`,
    `(() => { const r = Response.redirect('http://b.example/'); return [r.status, r.headers.get('location')] })()`,
    `(() => { try { new Response('x', { status: 204 }) } catch (e) { return e.name } })()`,
    `(() => { try { new Response('x', { status: 99 }) } catch (e) { return e.name } })()`,
    `(() => { try { new Request('/relative') } catch (e) { return e.name } })()`,
    `(() => { try { new Request('http://u:p@a.example/') } catch (e) { return e.name } })()`,
    `(() => { try { new Request('http://a.example/', { body: 'x' }) } catch (e) { return e.name } })()`,
    `(() => { try { new Request('http://a.example/', { method: 'TRACE' }) } catch (e) { return e.name } })()`,
    `Promise.all([new Response(new Uint8Array([1, 2])).arrayBuffer().then((b) => b.byteLength), new Response(null).text()])`,
    `[new Request('http://a.example/'), new Response(), new Event('x'), new AbortController().signal].map(String)`,
  ])('%s', same)

  it('WebCrypto: AES-GCM, ECDSA, PBKDF2', async () => {
    const opened = await run(`
      const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode('text'))
      const open = new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed))
      const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
      const data = new TextEncoder().encode('signed')
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, data)
      return [open, await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, pair.publicKey, signature, data)]`)
    expect(opened).toEqual(['text', true])
    await same(
      `[...new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 10 }, await crypto.subtle.importKey('raw', new TextEncoder().encode('pw'), 'PBKDF2', false, ['deriveBits']), 256))]`,
    )
  })
})

describe('what a handler gets', () => {
  it.each(WEB_APIS)('has %s when its code names it, and not otherwise', async (name) => {
    expect(await run(`return typeof ${name}`)).not.toBe('undefined')
    expect(await run(`return typeof globalThis.${name}`)).not.toBe('undefined')
    expect(await run(`return typeof globalThis['${name}']`)).not.toBe('undefined')
    expect(await run(`return new Function('return typeof ${name}')()`)).not.toBe('undefined')
    const halves = JSON.stringify([name.slice(0, 2), name.slice(2)])
    expect(await run(`return typeof globalThis[${halves}.join('')]`)).toBe('undefined')
  })

  it('is decided by whole words only', async () => {
    const compiler = new HandlerCompiler({ cacheDir: false })
    afterAll(() => compiler.close())
    const parts = async (code: string) => [...partsOf((await compiler.compile(code)).bytecode)]
    expect(await parts('export default (event) => prefetch(handleEvent(event, "URLs"))')).toEqual(
      [],
    )
    expect(await parts('export default (e, c) => c.signal')).toEqual(['events'])
    expect(await parts('export default () => "open the URL"')).toEqual(['url'])
    expect(await parts(String.raw`export default () => \u0066etch('x')`)).toEqual(['fetch'])
    expect(await parts(`export default () => [fetch, ${'a'.repeat(24)}]`)).toEqual(['fetch'])
  })

  const withGlobals = Object.keys(PARTS).filter(
    (part) => PARTS[part as keyof typeof PARTS].globals.length > 0,
  )
  it.each(withGlobals)('%s is installed alone, with what it needs', async (part) => {
    const { globals } = PARTS[part as keyof typeof PARTS]
    const [first] = globals
    expect(await run(`return typeof ${first}`)).not.toBe('undefined')
    expect(
      await run(`return ${JSON.stringify(globals)}.filter((name) => !(name in globalThis))`),
    ).toEqual([])
  })
})

describe('every call starts pristine', () => {
  it.each([...WEB_APIS, 'setTimeout', 'console', ...OF_ENGINE])(
    'a %s that was replaced, extended or deleted is back',
    async (name) => {
      const code = handler(`
        if (event === 'look') return [typeof ${name}, ${name}.mark, ${name}.prototype?.mark, typeof globalThis.left]
        ${name}.mark = 1
        if (${name}.prototype) ${name}.prototype.mark = 1
        globalThis.left = 1
        if (event === 'replace') globalThis.${name} = 5
        else delete globalThis.${name}
        return null`)
      const call = async (event: string) => {
        const { value, error } = await runtime.executeHandler<unknown[]>(code, { event })
        expect(error).toBeUndefined()
        return value
      }
      const before = await call('look')
      await call('replace')
      expect(await call('look')).toEqual(before)
      await call('delete')
      expect(await call('look')).toEqual(before)
      expect(before?.slice(1)).toEqual([null, null, 'undefined'])
    },
  )

  it('with randomness of its own, also for keys and in a module that drew some', async () => {
    const code = `const early = crypto.randomUUID()
      export default async () => {
        const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
        const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
        const secret = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
        return [crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(16)).join(), Math.random(),
          new Uint8Array(await crypto.subtle.exportKey('raw', key)).join(), secret.join()]
      }`
    const draws: unknown[][] = []
    for (let i = 0; i < 5; i++) {
      const { value, error } = await runtime.executeHandler<unknown[]>(code, { event: i })
      expect(error).toBeUndefined()
      draws.push(value!)
    }
    for (let column = 0; column < draws[0]!.length; column++) {
      expect(new Set(draws.map((draw) => draw[column])).size).toBe(draws.length)
    }
  })

  it('with no listener, timer or signal of the call before', async () => {
    const code = `const shared = new EventTarget()
      export default async (event, ctx) => {
        let heard = 0
        shared.addEventListener('x', () => heard++)
        shared.dispatchEvent(new Event('x'))
        setTimeout(() => ctx.log.error('late'), 5)
        AbortSignal.timeout(5).addEventListener('abort', () => ctx.log.error('late'))
        ctx.signal.addEventListener('abort', () => ctx.log.error('late'))
        if (event === 'wait') await new Promise((resolve) => setTimeout(resolve, 60))
        return heard
      }`
    for (let i = 0; i < 3; i++) {
      const { value } = await runtime.executeHandler(code, { event: 'go' }, { timeoutMs: 50 })
      expect(value).toBe(1)
    }
    const { value, logs } = await runtime.executeHandler(code, { event: 'wait' })
    expect(value).toBe(1)
    // Its own two timers, and no other call's.
    expect(logs).toHaveLength(2)
  })
})

it('ctx.signal aborts before the call is stopped, with time left to act', async () => {
  const { value } = await runtime.executeHandler<[string, number]>(
    handler(`await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      return [ctx.signal.reason.name, ctx.deadline - Date.now(), ctx.signal === ctx.signal]`),
    { event: null },
    { timeoutMs: 2000 },
  )
  expect(value).toEqual(['TimeoutError', expect.any(Number), true])
  expect(value![1]).toBeGreaterThan(0)
})

it('a listener that throws is logged, and the others still hear', async () => {
  const { value, logs } = await runtime.executeHandler(
    handler(`const t = new EventTarget(); let heard = 0
      t.addEventListener('a', () => { throw new TypeError('broken') }); t.addEventListener('a', () => heard++)
      t.dispatchEvent(new Event('a')); return heard`),
    { event: null },
  )
  expect(value).toBe(1)
  expect(logs[0]).toMatchObject({ level: 'error', message: expect.stringContaining('broken') })
})
