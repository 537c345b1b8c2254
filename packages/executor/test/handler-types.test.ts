import type {
  ExecutionError,
  ExecutionResult,
  Handler,
  HandlerApi,
  Suspension,
  WasmRuntime,
} from '@nexus/executor'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

it('a handler knows its event, its ctx and its result', () => {
  const handler = (async (event, ctx) => {
    expectTypeOf(event.id).toEqualTypeOf<string>()
    expectTypeOf(ctx).toEqualTypeOf<HandlerApi>()
    expectTypeOf(ctx.secrets.KEY).toEqualTypeOf<string | undefined>()
    expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
    return { ok: true }
  }) satisfies Handler<{ id: string }, { ok: boolean }>
  expectTypeOf(handler).parameter(0).toEqualTypeOf<{ id: string }>()
})

it('a method with a schema knows its input', () => {
  const register = (runtime: WasmRuntime) =>
    runtime.extend('db', {
      query: {
        input: z.object({ sql: z.string(), limit: z.number().default(1) }),
        run: (input) => expectTypeOf(input).toEqualTypeOf<{ sql: string; limit: number }>(),
      },
      plain: (a: number) => a,
    })
  expectTypeOf(register).returns.toEqualTypeOf<WasmRuntime>()
})

it('the status of a result tells what else it has', () => {
  const look = (result: ExecutionResult<number>) => {
    if (result.status === 'success') expectTypeOf(result.value).toEqualTypeOf<number>()
    else if (result.status === 'error') expectTypeOf(result.error).toEqualTypeOf<ExecutionError>()
    else expectTypeOf(result.suspension).toEqualTypeOf<Suspension>()
    expectTypeOf(result.value).toEqualTypeOf<number | undefined>()
  }
  expectTypeOf(look).toBeFunction()
})
