import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { z as zv3 } from 'zod/v3'
import { z as z3 } from 'zod3'
import { handler, openRuntime } from './runtimes.js'

const runtime = openRuntime({ threads: 0 })

interface Row {
  sku: string
  left: number
}
const told = (row: Row) => `${row.sku} ${row.left + 1}`

// Each asks for the same, and `run` knows its type. The one of 'zod3' is older than the standard.
runtime.extend('stock', {
  zod4: {
    input: z.object({ sku: z.string(), left: z.number().default(7) }),
    run: (row) => {
      expectTypeOf(row).toEqualTypeOf<Row>()
      return told(row)
    },
  },
  zod3: {
    input: z3.object({ sku: z3.string(), left: z3.number().default(7) }),
    run: (row) => {
      expectTypeOf(row).toEqualTypeOf<Row>()
      return told(row)
    },
  },
  zodV3: {
    input: zv3.object({ sku: zv3.string(), left: zv3.number().default(7) }),
    run: (row) => {
      expectTypeOf(row).toEqualTypeOf<Row>()
      return told(row)
    },
  },
  valibot: {
    input: v.object({ sku: v.string(), left: v.optional(v.number(), 7) }),
    run: (row) => {
      expectTypeOf(row).toEqualTypeOf<Row>()
      return told(row)
    },
  },
  arktype: {
    input: type({ sku: 'string', left: 'number = 7' }),
    run: (row) => {
      expectTypeOf(row).toEqualTypeOf<Row>()
      return told(row)
    },
  },
})

describe.each(['zod4', 'zod3', 'zodV3', 'valibot', 'arktype'])('input of %s', (method) => {
  const call = (input: unknown) =>
    runtime.executeHandler(handler(`return await ctx.call('stock', '${method}', event)`), {
      event: input,
      capabilities: ['ext:stock'],
    })

  it('is what the schema makes of it', async () => {
    expect((await call({ sku: 'a', left: 1 })).value).toBe('a 2')
    expect((await call({ sku: 'a' })).value).toBe('a 8')
  })

  it('that is wrong names the path', async () => {
    const { error } = await call({ sku: 5 })
    expect(error).toMatchObject({ name: 'TypeError' })
    expect(error?.message).toContain(`stock.${method}: input.sku: `)
  })
})
