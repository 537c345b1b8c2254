import { setTimeout as delay } from 'node:timers/promises'
import {
  type LinkRequest,
  MemorySuspensionStore,
  type SuspendedExecution,
  type Suspension,
  WasmRuntime,
} from '@nexus/executor'
import { MetricsCollector } from '@nexus/metrics'
import { describe, expect, it } from 'vitest'
import { ImageSealer } from '../../src/suspension/image-sealer.js'
import { packCall, unpackCall } from '../../src/suspension/stored-call.js'
import { handler, openRuntime } from '../runtimes.js'

describe.each([
  ['inline', { threads: 0 }],
  ['on threads', { threads: 2 }],
])('a suspended call, %s', (_name, options) => {
  const store = new MemorySuspensionStore()
  const runtime = openRuntime({ ...options, suspensions: { store }, timeoutMs: 10_000 })
  // What another process would be: it has never heard of the handler.
  const other = openRuntime({ ...options, suspensions: { store }, timeoutMs: 10_000 })

  const all = { event: { n: 1 }, capabilities: ['events:emit:*', 'ext:*'] }

  async function suspended(
    code: string,
    context = {},
    by: WasmRuntime = runtime,
  ): Promise<Suspension> {
    const result = await by.executeHandler(code, { ...all, ...context })
    if (result.status !== 'suspended') throw new Error(JSON.stringify(result))
    return result.suspension
  }
  const yes = (value?: unknown) => ({ success: true, value }) as const

  it('goes on where it stood, with the value that it is resumed with', async () => {
    const result = await runtime.executeHandler(
      handler(`ctx.log.info('before'); await ctx.emit('before', 1)
        const { by, when } = await ctx.suspend('approval', { total: event.n }, { timeoutMs: 60000 })
        await ctx.emit('after', 2); return [by, when.getTime(), event.n]`),
      { ...all, functionName: 'order' },
    )
    const { suspension } = result as SuspendedExecution
    expect(result).toMatchObject({
      status: 'suspended',
      events: [{ type: 'before' }],
      logs: [{ message: 'before' }],
      suspension: {
        name: 'approval',
        data: { total: 1 },
        functionName: 'order',
        wakes: [{ kind: 'suspend', name: 'approval', suspensionId: suspension.suspensionId }],
      },
    })
    expect(suspension.expiresAt).toBeGreaterThan(Date.now() + 50_000)
    expect(suspension.imageBytes).toBeLessThan(10 * 1024)
    expect(await other.getSuspension(suspension.suspensionId)).toEqual(suspension)
    const resumed = await other.resumeHandler(
      suspension.suspensionId,
      yes({ by: 'Ada', when: new Date(5) }),
      { capabilities: ['events:emit:*'] },
    )
    expect(resumed).toMatchObject({
      status: 'success',
      value: ['Ada', 5, 1],
      events: [{ type: 'after' }],
    })
    expect(resumed.events).toHaveLength(1)
    expect(await other.listSuspensions()).toEqual([])
  })

  it('keeps all that lives in the sandbox', async () => {
    const { suspensionId } = await suspended(`
      class Account { #balance = 10; add(n) { this.#balance += n; return this.#balance } static made = 0 }
      const made = new Map([['k', new Set([1])]])
      const re = /b(?<rest>.)/g
      function* numbers() { let n = 0; for (;;) yield ++n }
      async function* pages(ctx) { yield 1; yield await ctx.suspend('page'); yield 3 }
      const deep = async (n, ctx) => (n === 0 ? ctx.suspend('deep') : (await deep(n - 1, ctx)) + 1)
      export default async (event, ctx) => {
        const account = new Account(), it = numbers(), weak = new WeakMap([[account, 'w']])
        const counted = (() => { let n = 0; return () => ++n })(); counted(); it.next(); re.exec('abcabd'); Account.made = 7
        const bytes = new Uint8Array(3).fill(9), url = new URL('https://a.example/x?y=1')
        const sum = await deep(200, ctx)
        const list = []; for await (const page of pages(ctx)) list.push(page)
        return [sum, list, account.add(5), counted(), it.next().value, re.exec('abcabd').groups.rest, weak.get(account),
          made.get('k').has(1), Account.made, [...bytes], url.searchParams.get('y')]
      }`)
    const again = await other.resumeHandler(suspensionId, yes(1000))
    expect(again).toMatchObject({ status: 'suspended', suspension: { name: 'page' } })
    const { suspension } = again as SuspendedExecution
    expect((await runtime.resumeHandler(suspension.suspensionId, yes('two'))).value).toEqual([
      1200,
      [1, 'two', 3],
      15,
      2,
      2,
      'd',
      'w',
      true,
      7,
      [9, 9, 9],
      '1',
    ])
  })

  it('is frozen again and again, without growing', async () => {
    let suspension = await suspended(
      handler(
        `const seen = []; while (seen.length < 40) { const { n } = await ctx.suspend('next', { at: seen.length }); seen.push(n) } return seen`,
      ),
    )
    const sizes: number[] = []
    for (let n = 0; ; n++) {
      sizes.push(suspension.imageBytes)
      const result = await (n % 2 ? runtime : other).resumeHandler(
        suspension.suspensionId,
        yes({ n }),
      )
      if (result.status !== 'suspended') {
        expect(result.value).toEqual(Array.from({ length: 40 }, (_, i) => i))
        break
      }
      suspension = result.suspension
    }
    expect(sizes.at(-1)).toBeLessThan(sizes[5]! + 1024)
  })

  it('waits for several at once, each by its own id', async () => {
    const { wakes } = await suspended(
      handler(
        `return await Promise.all([ctx.suspend('a'), ctx.suspend('b'), Promise.race([ctx.suspend('c'), ctx.suspend('d')])])`,
      ),
    )
    const [a, b, , d] = wakes.map(({ suspensionId }) => suspensionId)
    expect(wakes.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
    expect((await other.resumeHandler(d!, yes('D'))).status).toBe('suspended')
    expect((await runtime.resumeHandler(a!, yes('A'))).status).toBe('suspended')
    await expect(runtime.resumeHandler(a!, yes('again'))).rejects.toMatchObject({
      code: 'SUSPENSION_NOT_FOUND',
    })
    expect((await other.resumeHandler(b!, yes('B'))).value).toEqual(['A', 'B', 'D'])
    await expect(runtime.resumeHandler(b!, yes())).rejects.toMatchObject({
      code: 'SUSPENSION_NOT_FOUND',
    })
  })

  it('throws at the await what it is resumed with, and runs finally', async () => {
    const code = handler(
      `try { await ctx.suspend('x'); return 'no' } catch (error) { return [error.name, error.message, error.code] } finally { await ctx.emit('cleaned') }`,
    )
    for (const [error, told] of [
      [new RangeError('sold out'), ['RangeError', 'sold out', null]],
      ['plain', ['Error', 'plain', null]],
      [{ name: 'Denied', message: 'no', code: 'E_NO' }, ['Denied', 'no', 'E_NO']],
    ] as const) {
      const { suspensionId } = await suspended(code)
      const result = await other.resumeHandler(suspensionId, { success: false, error }, all)
      expect([result.value, result.events.length]).toEqual([told, 1])
    }
    const { suspensionId } = await suspended(code)
    expect((await other.cancelSuspension(suspensionId, all)).value).toEqual([
      'AbortError',
      'The suspension was cancelled',
      'CANCELLED',
    ])
  })

  it('ends when the handler fails after it was resumed', async () => {
    const { suspensionId } = await suspended(
      handler(`await ctx.suspend('x'); throw new Error('after')`),
    )
    const { error } = await other.resumeHandler(suspensionId, yes())
    expect(error).toMatchObject({
      code: 'EXECUTION_ERROR',
      message: 'after',
      location: { line: 1 },
      sourceLines: expect.stringContaining('throw new Error'),
    })
    await expect(other.resumeHandler(suspensionId, yes())).rejects.toMatchObject({
      code: 'SUSPENSION_NOT_FOUND',
    })
  })

  it('is measured: how long it took to be frozen, and until it ran again', async () => {
    const metrics = new MetricsCollector()
    const measured = new WasmRuntime({
      ...options,
      cacheDir: false,
      metrics,
      suspensions: { store },
    })
    const context = { functionName: 'measured' }
    const { suspensionId } = await suspended(
      handler(`return await ctx.suspend('x')`),
      context,
      measured,
    )
    await measured.resumeHandler(suspensionId, yes(1), context)
    const text = metrics.toPrometheus()
    for (const what of ['freeze', 'thaw']) {
      expect(text).toContain(`nexus_suspension_${what}_seconds_count{function="measured"} 1`)
      const sum = new RegExp(`nexus_suspension_${what}_seconds_sum\\{function="measured"\\} (.*)`)
      expect(Number(sum.exec(text)?.[1])).toBeGreaterThan(0)
    }
    await measured.shutdown()
    expect(metrics.toPrometheus()).not.toContain('nexus_suspension_')
  })

  it('asks for a link to the next suspension of a name', async () => {
    const asked: LinkRequest[] = []
    const link = (request: LinkRequest) => `https://x.example/${asked.push(request)}`
    const { wakes } = await suspended(
      handler(`const urls = [await ctx.resumeUrl('a', { yes: true }), await ctx.resumeUrl('b')]
        await Promise.all([ctx.suspend('a', urls), ctx.suspend('a'), ctx.resumeUrl('a')])`),
      { link },
    )
    expect(wakes).toMatchObject([
      { name: 'a', nth: 1, data: ['https://x.example/1', 'https://x.example/2'] },
      { name: 'a', nth: 2 },
    ])
    expect(asked).toEqual([
      { name: 'a', nth: 1, valueJson: '{"yes":true}' },
      { name: 'b', nth: 1, valueJson: '' },
      { name: 'a', nth: 3, valueJson: '' },
    ])
    const { error } = await runtime.executeHandler(handler(`await ctx.resumeUrl('a')`), all)
    expect(error?.message).toBe('ctx.resumeUrl: this program makes no links')
  })

  it('waits for an event that the program looks for, where the capability covers its pattern', async () => {
    const before = Date.now()
    const { wakes } = await suspended(
      handler(
        `const paid = await ctx.waitFor('order.*.paid', { match: { 'data.id': event.n, 'data.open': false }, timeoutMs: 60000 }); return paid.data.by`,
      ),
      { capabilities: ['events:wait:order.>'] },
    )
    expect(wakes).toMatchObject([
      { kind: 'event', name: 'order.*.paid', data: { 'data.id': 1, 'data.open': false } },
    ])
    expect(wakes[0]!.since).toBeGreaterThanOrEqual(before)
    expect(wakes[0]!.dueAt).toBeGreaterThanOrEqual(before + 60_000)
    const paid = { type: 'order.7.paid', data: { by: 'Ada' } }
    expect(await other.resumeHandler(wakes[0]!.suspensionId, yes(paid))).toMatchObject({
      value: 'Ada',
    })
    const { error } = await runtime.executeHandler(handler(`await ctx.waitFor('order.>')`), {
      capabilities: ['events:wait:order.*'],
    })
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(error?.message).toContain('grant it with the capability events:wait:order.>')
  })

  it('fails with TIMEOUT at the await when it is resumed too late, and ends sleeps that are due', async () => {
    const { wakes } = await suspended(
      handler(
        `const late = ctx.suspend('x', null, { timeoutMs: 1 }).catch((error) => error.code); const [code] = await Promise.all([late, ctx.sleep(1), ctx.sleep(new Date(Date.now() + 1))]); return code`,
      ),
    )
    expect(wakes.map(({ kind }) => kind)).toEqual(['suspend', 'sleep', 'sleep'])
    await delay(5)
    expect((await other.resumeHandler(wakes[1]!.suspensionId, yes())).value).toBe('TIMEOUT')
  })

  it('goes on with timers where they stood, and with a clock that did not go back', async () => {
    const { suspensionId } = await suspended(
      handler(`let ticks = 0; const started = performance.now(), [one, two] = [Math.random(), null]
        const interval = setInterval(() => ticks++, 5); const later = new Promise((resolve) => setTimeout(resolve, 20, 'rang'))
        const stopped = setTimeout(() => { throw new Error('was cleared') }, 30)
        await ctx.suspend('x'); clearTimeout(stopped); const rang = await later; clearInterval(interval)
        return [rang, ticks > 0, performance.now() > started, Math.random() !== one]`),
    )
    expect((await other.resumeHandler(suspensionId, yes())).value).toEqual([
      'rang',
      true,
      true,
      true,
    ])
  })

  it('draws other numbers in each resumed call', async () => {
    const code = handler(`await ctx.suspend('x'); return Math.random()`)
    const one = await suspended(code)
    const first = await runtime.resumeHandler(one.suspensionId, yes())
    const two = await suspended(code)
    expect((await runtime.resumeHandler(two.suspensionId, yes())).value).not.toBe(first.value)
  })

  it('settles host calls under way first', async () => {
    const globals = { slow: () => delay(20, 'slow') }
    const { suspensionId, wakes } = await suspended(
      handler(
        `const asked = slow(); const waited = ctx.suspend('x'); return [await asked, await waited, await slow()]`,
      ),
      { globals },
    )
    expect(wakes).toHaveLength(1)
    expect((await other.resumeHandler(suspensionId, yes(1), { globals })).value).toEqual([
      'slow',
      1,
      'slow',
    ])
  })

  it('has the capabilities, secrets, env, attempt and deadline of the resuming call', async () => {
    const code =
      handler(`const seen = [ctx.secrets.KEY, ctx.env.MODE, ctx.attempt]; const before = ctx.deadline
      await ctx.suspend('x'); let denied; try { await ctx.emit('x') } catch (error) { denied = error.code }
      return [seen, ctx.secrets.KEY ?? null, ctx.env.MODE, ctx.attempt, ctx.deadline > before, denied, ctx.signal.aborted]`)
    const { suspensionId } = await suspended(code, {
      secrets: { KEY: 'old-secret' },
      env: { MODE: 'a' },
      attempt: 1,
    })
    await delay(2)
    const { value } = await other.resumeHandler(suspensionId, yes(), {
      secrets: { KEY: 'new-secret' },
      env: { MODE: 'b' },
      attempt: 2,
    })
    expect(value).toEqual([
      ['old-secret', 'a', 1],
      'new-secret',
      'b',
      2,
      true,
      'PERMISSION_DENIED',
      false,
    ])
  })

  it('holds the limits of the resuming call', async () => {
    const { suspensionId } = await suspended(handler(`await ctx.suspend('x'); for (;;);`))
    expect((await other.resumeHandler(suspensionId, yes(), {}, 50)).error?.code).toBe('TIMEOUT')
  })

  it('goes on with memory that it has grown to', async () => {
    const { suspensionId } = await suspended(
      handler(
        `const big = Array.from({ length: 200000 }, (_, n) => ({ n })); await ctx.suspend('x'); return big.reduce((sum, { n }) => sum + n, 0)`,
      ),
    )
    expect((await other.resumeHandler(suspensionId, yes())).value).toBe(19999900000)
  })

  it('keeps keys that may be exported', async () => {
    const { suspensionId } = await suspended(
      `const shared = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt', 'decrypt'])
       export default async (event, ctx) => {
        const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
        const data = new Uint8Array([1]), ecdsa = { name: 'ECDSA', hash: 'SHA-256' }
        await ctx.suspend('x')
        const signature = await crypto.subtle.sign(ecdsa, pair.privateKey, data)
        const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, shared, data)
        return [await crypto.subtle.verify(ecdsa, pair.publicKey, signature, data), sealed.byteLength]
      }`,
    )
    expect((await other.resumeHandler(suspensionId, yes())).value).toEqual([true, 17])
  })

  it.each([
    [
      'a key',
      `globalThis.key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt'])`,
      /a key that may not be exported \(AES-GCM\)/,
    ],
    [
      'a compression stream',
      `globalThis.codec = new CompressionStream('gzip'); globalThis.writing = codec.writable.getWriter().write(new Uint8Array(10)); await codec.readable.getReader().read()`,
      /a compression stream that is at work/,
    ],
  ])('is refused by name where %s cannot be stored', async (_what, body, message) => {
    const result = await runtime.executeHandler(
      handler(`${body}; try { await ctx.suspend('x') } catch (error) { return error.message }`),
      all,
    )
    expect(result.value).toMatch(message)
  })

  it('is refused on another engine, for good, with a message that names both', async () => {
    const { suspensionId } = await suspended(handler(`await ctx.suspend('x'); return 1`))
    const callId = suspensionId.split('.')[0]!
    const sealer = new ImageSealer(undefined)
    const image = (await store.load(callId))!
    const stored = await unpackCall(sealer.open(image, callId) as Buffer)
    const { call } = stored
    const base = { ...call.sandbox.base, identity: 'f00d', programs: ['quickjs-wasi 0.0.1'] }
    const foreign = { ...stored, call: { ...call, sandbox: { ...call.sandbox, base } } }
    await store.save(callId, sealer.seal(packCall(foreign), callId))
    const { error } = await other.resumeHandler(suspensionId, yes())
    expect(error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: false })
    expect(error?.message).toMatch(
      /frozen on quickjs-wasi 0\.0\.1, base f00d; here is quickjs-wasi \d/,
    )
    await store.save(callId, image)
    expect((await other.resumeHandler(suspensionId, yes())).value).toBe(1)
  })

  it('is resumed once, however many try', async () => {
    const { suspensionId } = await suspended(
      handler(`await ctx.suspend('x'); await slow(); return 'done'`),
      { globals: { slow: () => delay(20) } },
    )
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 ? runtime : other).resumeHandler(suspensionId, yes(), {
          globals: { slow: () => delay(20) },
        }),
      ),
    )
    const won = tries.filter(({ status }) => status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const one of tries) {
      if (one.status === 'rejected')
        expect(one.reason.code).toMatch(/^SUSPENSION_(BUSY|NOT_FOUND)$/)
    }
  })
})

describe('a runtime', () => {
  it('refuses to suspend without a store, and says so', async () => {
    const runtime = openRuntime({ threads: 0 })
    const { error } = await runtime.executeHandler(handler(`await ctx.suspend('x')`), {
      event: null,
    })
    expect(error?.message).toBe('Suspending for x: this call cannot be suspended')
    await expect(runtime.resumeHandler('x', { success: true })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })

  it('refuses what is no suspension, and what is no outcome', async () => {
    const runtime = openRuntime({ threads: 0, suspensions: { store: new MemorySuspensionStore() } })
    for (const id of ['', 'x', '../../etc/passwd.1', `${'0'.repeat(36)}.1`, null, 7]) {
      await expect(runtime.resumeHandler(id as never, { success: true })).rejects.toMatchObject({
        code: 'SUSPENSION_NOT_FOUND',
      })
    }
    const result = await runtime.executeHandler(handler(`return await ctx.suspend('x')`), {
      event: null,
    })
    const { suspensionId } = (result as SuspendedExecution).suspension
    for (const outcome of [null, {}, { success: 'yes' }, { success: true, value: () => 1 }]) {
      await expect(runtime.resumeHandler(suspensionId, outcome as never)).rejects.toMatchObject({
        code: 'INVALID_OPTIONS',
      })
    }
    expect((await runtime.resumeHandler(suspensionId, { success: true, value: 1 })).value).toBe(1)
  })

  it('cannot suspend calls that share an instance', async () => {
    const runtime = openRuntime({
      threads: 0,
      isolation: 'shared',
      suspensions: { store: new MemorySuspensionStore() },
    })
    const { error } = await runtime.executeHandler(handler(`await ctx.suspend('x')`), {
      event: null,
    })
    expect(error?.message).toMatch(/cannot be suspended/)
  })
})
