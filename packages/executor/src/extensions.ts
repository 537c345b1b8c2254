import { ExecutorError } from './errors.js'
import type { ExtensionAnswer } from './sandbox/call.js'

/**
 * Functions of the host that guests may call by `ctx.call(extension, method, …args)`. Arguments and
 * results cross as JSON. The arguments are the guest's: check them.
 */
export type ExtensionMethods = Readonly<Record<string, (...args: never[]) => unknown>>

/** The host functions that embedders registered. */
export class Extensions {
  readonly #extensions = new Map<string, ReadonlyMap<string, (...args: unknown[]) => unknown>>()

  /** @throws {@link ExecutorError} `INVALID_OPTIONS` */
  register(name: string, methods: ExtensionMethods): void {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw new ExecutorError(
        'INVALID_OPTIONS',
        `Expected the name of an extension to be letters, digits, - and _, got ${JSON.stringify(name)}`,
      )
    }
    if (this.#extensions.has(name)) {
      throw new ExecutorError('INVALID_OPTIONS', `The extension ${name} is registered already`)
    }
    const table = new Map<string, (...args: unknown[]) => unknown>()
    for (const [method, implementation] of Object.entries(methods)) {
      if (typeof implementation !== 'function') {
        throw new ExecutorError(
          'INVALID_OPTIONS',
          `Expected ${name}.${method} to be a function, got ${typeof implementation}`,
        )
      }
      table.set(method, implementation as (...args: unknown[]) => unknown)
    }
    this.#extensions.set(name, table)
  }

  /** Calls a method for a guest; what it throws goes to the guest as name, message and code, without its stack. */
  async call(extension: string, method: string, argumentsJson: string): Promise<ExtensionAnswer> {
    const methods = this.#extensions.get(extension)
    const implementation = methods?.get(method)
    if (!implementation) {
      const known = methods ? [...methods.keys()] : [...this.#extensions.keys()]
      const what = methods
        ? `method ${method} in the extension ${extension}`
        : `extension ${extension}`
      return refusal(`There is no ${what}; there is ${known.join(', ') || 'none at all'}`)
    }
    try {
      const value = await implementation(...(JSON.parse(argumentsJson) as unknown[]))
      return { failed: false, json: JSON.stringify(value) ?? '' }
    } catch (error) {
      const { name, message, code } = Object(error) as Partial<Record<string, unknown>>
      return {
        failed: true,
        json: JSON.stringify({
          name: typeof name === 'string' ? name : 'Error',
          message: typeof message === 'string' ? message : String(error),
          code: typeof code === 'string' ? code : undefined,
        }),
      }
    }
  }
}

function refusal(message: string): ExtensionAnswer {
  return { failed: true, json: JSON.stringify({ name: 'TypeError', message }) }
}
