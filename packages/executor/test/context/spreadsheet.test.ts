import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openRuntime } from '../runtimes.js'

describe.each([
  ['inline', { threads: 0 }],
  ['on a thread', { threads: 1 }],
])('a context as a spreadsheet, %s', (_name, options) => {
  const runtime = openRuntime(options)

  it('computes cells from those before them, with functions of the program', async () => {
    const prices = new Map([['A-1', 30]])
    await using sheet = runtime.createContext({
      globals: {
        vat: 0.2,
        price: { input: z.string(), run: async (sku: string) => prices.get(sku) },
        shop: { stock: { left: (sku: string) => sku.length }, name: 'main' },
      },
    })
    const cells = {
      A1: `await price('A-1')`,
      A2: 'A1 * (1 + vat)',
      A3: 'Math.round(A2)',
      A4: 'await shop.stock.left("A-1") + shop.name',
    }
    const values: Record<string, unknown> = {}
    for (const [name, formula] of Object.entries(cells)) {
      values[name] = (await sheet.evaluate(`var ${name} = (${formula}); ${name}`)).value
    }
    expect(values).toEqual({ A1: 30, A2: 36, A3: 36, A4: '3main' })
    prices.set('A-1', 50)
    await sheet.evaluate(`A1 = await price('A-1')`)
    expect((await sheet.evaluate('A1')).value).toBe(50)
    expect((await sheet.evaluate('await price(1)')).error?.message).toMatch(/price: input/)
  })

  it('asks for capabilities as a handler does, in each script', async () => {
    await using sheet = runtime.createContext({ globals: { x: 1 } })
    const { error } = await sheet.evaluate('await fetch("https://a.example/")')
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
    expect((await sheet.evaluate('x')).value).toBe(1)
  })

  it('counts host calls in each script', async () => {
    await using sheet = runtime.createContext({ globals: { ask: () => 1 }, maxHostCalls: 5 })
    const script = 'let sum = 0; for (let i = 0; i < 3; i++) sum += await ask(); sum'
    expect((await sheet.evaluate(`{ ${script} }`)).value).toBe(3)
    expect((await sheet.evaluate(`{ ${script} }`)).value).toBe(3)
    const { error } = await sheet.evaluate('for (let i = 0; i < 10; i++) await ask()')
    expect(error?.code).toBe('RESOURCE_LIMIT')
  })

  it('takes secrets out of what its scripts log and throw', async () => {
    await using sheet = runtime.createContext({
      secrets: { TOKEN: 'hunter-22' },
      globals: { token: 'hunter-22' },
    })
    await sheet.evaluate('1')
    const { error, logs } = await sheet.evaluate('console.log(token); throw new Error(token)')
    expect(JSON.stringify([error, logs])).not.toContain('hunter-22')
  })
})
