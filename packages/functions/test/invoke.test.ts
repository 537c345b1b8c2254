import { type FunctionDefinition, FunctionHost } from '@nexus/functions'
import { describe, expect, it } from 'vitest'
import { openHost } from './open-host.js'

const open = (...definitions: FunctionDefinition[]) => openHost(definitions)

const double = {
  name: 'double',
  source:
    'export default (event, ctx) => { ctx.log.info("doubling"); return { twice: event.data * 2 } }',
  events: 'number',
}

describe('invoking a function', () => {
  it('answers what it did', async () => {
    const { host, bus } = await open(double)
    const invocation = await host.invoke('double', 21)
    expect(invocation).toMatchObject({
      function: 'double',
      status: 'succeeded',
      value: { twice: 42 },
      attempts: 1,
      logs: [{ message: 'doubling' }],
      event: { type: 'nexus.invoke.double', source: '/invocations' },
    })
    const stored = await bus.get(invocation.event.id, invocation.event.source)
    expect(stored?.event).toMatchObject({ type: 'nexus.invoke.double', data: 21 })
  })

  it('waits for the retries', async () => {
    const { host } = await open({
      name: 'flaky',
      source:
        "export default (_, ctx) => { if (ctx.attempt < 3) throw new Error('no'); return ctx.attempt }",
      events: 'a',
      retry: { baseDelayMs: 1 },
    })
    expect(await host.invoke('flaky')).toMatchObject({ value: 3, attempts: 3 })
  })

  it('tells why every attempt failed', async () => {
    const { host } = await open({
      name: 'broken',
      source: "export default () => { throw new TypeError('never') }",
      events: 'a',
      retry: { maxAttempts: 2, baseDelayMs: 1 },
    })
    expect(await host.invoke('broken')).toMatchObject({
      status: 'dead-lettered',
      attempts: 2,
      error: { code: 'EXECUTION_ERROR', name: 'TypeError', message: 'never' },
    })
  })

  it('runs once for one id, and answers the same again', async () => {
    const { host } = await open({
      name: 'draws',
      source: 'export default () => crypto.randomUUID()',
      events: 'a',
    })
    const [first, second] = await Promise.all([
      host.invoke('draws', null, { id: 'one' }),
      host.invoke('draws', null, { id: 'one' }),
    ])
    const third = await host.invoke('draws', null, { id: 'one' })
    expect([second.value, third.value]).toEqual([first.value, first.value])
    expect((await host.invoke('draws')).value).not.toBe(first.value)
  })

  it('stops waiting when its time is over, and the function goes on', async () => {
    const { host } = await open({
      name: 'slow',
      source: 'export default () => new Promise((done) => setTimeout(() => done(1), 300))',
      events: 'a',
    })
    const error: Error = await host.invoke('slow', null, { id: 'x', timeoutMs: 1 }).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    )
    expect(error).toMatchObject({ code: 'INVOKE_TIMEOUT', message: expect.stringContaining("'x'") })
    await expect
      .poll(async () => (await host.runs({ id: 'x', source: '/invocations' }))?.[0]?.status)
      .toBe('succeeded')
  })

  it('stops waiting when its signal says so', async () => {
    const { host } = await open({
      name: 'slow',
      source: 'export default () => new Promise((done) => setTimeout(done, 2_000))',
      events: 'a',
    })
    const stop = new AbortController()
    const waiting = host.invoke('slow', null, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it('refuses a function that is not there', async () => {
    const { host } = await open(double)
    await expect(host.invoke('triple', 1)).rejects.toMatchObject({
      code: 'FUNCTION_NOT_FOUND',
      message: 'no function triple runs here; bound are: double',
    })
  })

  it.each([
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: '5' }, 'timeoutMs'],
    [{ id: '' }, 'id'],
    [{ wait: true }, 'wait'],
  ])('refuses %j', async (options, name) => {
    const { host } = await open(double)
    await expect(host.invoke('double', 1, options as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(name),
    })
  })

  it('reaches a function that runs on another host of the same bus', async () => {
    const { bus, runtime } = await open(double)
    const other = new FunctionHost({ bus, runtime })
    expect(await other.invoke('double', 4)).toMatchObject({ value: { twice: 8 } })
    await other.close()
  })

  it('leaves nothing listening on the bus', async () => {
    const { host, bus } = await open(double)
    const before = bus.listenerCount('delivered')
    await Promise.all([host.invoke('double', 1), host.invoke('double', 2)])
    expect(bus.listenerCount('delivered')).toBe(before)
  })
})

describe('ctx.invoke', () => {
  const caller = (source: string, more: Partial<FunctionDefinition> = {}): FunctionDefinition => ({
    name: 'caller',
    source,
    events: 'start',
    capabilities: ['invoke:*'],
    retry: { maxAttempts: 2, baseDelayMs: 1 },
    ...more,
  })

  it('gives what the other function returned', async () => {
    const { host } = await open(
      double,
      caller('export default async (event, ctx) => (await ctx.invoke("double", 5)).twice + 1'),
    )
    expect(await host.invoke('caller')).toMatchObject({ value: 11 })
  })

  it('needs a capability, which names functions', async () => {
    const source = 'export default (event, ctx) => ctx.invoke("double", 5)'
    for (const capabilities of [[], ['invoke:triple'], ['events:emit:>']]) {
      const { host } = await open(double, caller(source, { capabilities }))
      expect((await host.invoke('caller')).error).toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('invoke:double'),
      })
    }
    const { host } = await open(double, caller(source, { capabilities: ['invoke:double'] }))
    expect(await host.invoke('caller')).toMatchObject({ value: { twice: 10 } })
  })

  it('throws what the other function threw', async () => {
    const { host } = await open(
      {
        name: 'broken',
        source: "export default () => { throw new TypeError('never') }",
        events: 'a',
        retry: { maxAttempts: 1 },
      },
      caller(
        'export default (_, ctx) => ctx.invoke("broken").catch((error) => error.name + ": " + error.message)',
      ),
    )
    expect(await host.invoke('caller')).toMatchObject({ value: 'TypeError: never' })
  })

  it('does not run the other function again for a retry of the caller', async () => {
    const { host } = await open(
      { name: 'draws', source: 'export default () => crypto.randomUUID()', events: 'a' },
      caller(`export default async (event, ctx) => {
        const drawn = [await ctx.invoke("draws"), await ctx.invoke("draws"), await ctx.invoke("draws", 1)]
        if (ctx.attempt === 1) throw new Error(drawn.join())
        return drawn
      }`),
    )
    const { value, event } = await host.invoke('caller')
    expect(new Set(value as string[]).size).toBe(3)
    const failed = await host.runs(event)
    expect(failed?.[0]).toMatchObject({ attempts: 2 })
  })

  it('says that there is nothing to invoke where no host answers', async () => {
    const { runtime } = await open()
    const { error } = await runtime.executeHandler(
      'export default (event, ctx) => ctx.invoke("double", 5)',
      { event: null, capabilities: ['invoke:double'] },
    )
    expect(error?.message).toBe('ctx.invoke: there are no functions that this handler could invoke')
  })
})
