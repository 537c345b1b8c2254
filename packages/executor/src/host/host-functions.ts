import { ExecutorError } from '../errors.js'
import { checkKeys } from '../known-keys.js'
import { hostCodec } from '../values/host-codec.js'
import { type Schema, validate } from './input-schema.js'

/** A method whose one argument is checked before it runs. */
export interface CheckedMethod<Input = unknown> {
  /** What the argument must be: a Standard Schema (zod, valibot, arktype) or anything with `safeParse`. */
  input: Schema<Input>
  /** Gets what the schema made of the argument. */
  run: (input: Input) => unknown
}

/** A method whose arguments are the guest's and unchecked. */
export type PlainMethod = (...args: never[]) => unknown

/**
 * Host functions that guests may call by `ctx.call(name, method, …args)`. In addition to JSON,
 * undefined, BigInt, Date, Map, Set, typed arrays, errors and cycles cross, both ways.
 */
export type HostMethods<Inputs = Record<string, unknown>> = {
  readonly [Name in keyof Inputs]: PlainMethod | CheckedMethod<Inputs[Name]>
}

/** A host function that is ready to be called by guests. */
export interface HostMethod {
  readonly input: Schema | undefined
  readonly run: (...args: unknown[]) => unknown
}

/** The host functions that embedders registered. */
export class HostFunctions {
  readonly #methods = new Map<string, ReadonlyMap<string, HostMethod>>()

  /** @throws {@link ExecutorError} `INVALID_OPTIONS` */
  register(name: string, methods: object): void {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Expected the name of host functions to be letters, digits, - and _, got ${JSON.stringify(name)}`,
      )
    }
    if (this.#methods.has(name)) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Host functions named ${name} are registered already`,
      )
    }
    const table = new Map<string, HostMethod>()
    for (const [method, given] of Object.entries(methods)) {
      table.set(method, methodOf(`${name}.${method}`, given))
    }
    this.#methods.set(name, table)
  }

  /**
   * Calls a method for a guest.
   *
   * @throws what the guest is told, without its stack and without host paths
   */
  async call(name: string, method: string, encodedArguments: string): Promise<unknown> {
    return await callMethod(this.#find(name, method), `${name}.${method}`, encodedArguments)
  }

  #find(name: string, method: string): HostMethod {
    const methods = this.#methods.get(name)
    const found = methods?.get(method)
    if (found) return found
    const wanted = methods
      ? `method ${method} in the host functions ${name}`
      : `host function of the name ${name}`
    const known = [...(methods ?? this.#methods).keys()]
    throw new TypeError(`There is no ${wanted}; there is ${known.join(', ') || 'none at all'}`)
  }
}

/** @throws {@link ExecutorError} `INVALID_OPTIONS` when it is no function, and no function with a schema */
export function methodOf(name: string, given: unknown): HostMethod {
  if (typeof given === 'function') return { input: undefined, run: given as HostMethod['run'] }
  const { input, run } = Object(given) as Partial<CheckedMethod>
  if (typeof run === 'function' && (typeof input === 'object' || typeof input === 'function')) {
    if ('~standard' in input || 'safeParse' in input) {
      checkKeys(name, given as object, ['input', 'run'])
      return { input, run: run as HostMethod['run'] }
    }
  }
  throw new ExecutorError(
    'INVALID_OPTIONS',
    `Expected ${name} to be a function or { input: schema, run: function }, got ${typeof given}`,
  )
}

/** Calls a method for a guest, with what the guest handed over. */
export async function callMethod(
  { input, run }: HostMethod,
  what: string,
  encodedArguments: string,
): Promise<unknown> {
  const args = argumentsOf(encodedArguments)
  return input ? await run(await checked(what, input, args)) : await run(...args)
}

function argumentsOf(encoded: string): unknown[] {
  const args = hostCodec.decode(encoded)
  if (!Array.isArray(args)) throw new TypeError('Expected a list of arguments')
  return args
}

async function checked(what: string, input: Schema, args: unknown[]): Promise<unknown> {
  if (args.length > 1) {
    throw new TypeError(`${what} takes one argument, got ${args.length}`)
  }
  const { value, problems } = await validate(input, args[0])
  if (problems.length === 0) return value
  const lines = problems.map(({ path, message }) => `${['input', ...path].join('.')}: ${message}`)
  throw new TypeError(`${what}: ${lines.join('; ')}`)
}
