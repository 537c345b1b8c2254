import FindMyWay, { type HTTPMethod } from 'find-my-way'
import { FunctionsError } from '../errors.js'
import type { FunctionDefinition } from '../function-definition.js'
import { HTTP_METHODS, httpTriggerSchema, type ResolvedHttpTrigger } from './http-trigger.js'

/** Longest value of a parameter in a path. */
const MAX_PARAMETER_LENGTH = 1_536

/** The function that answers a request. */
export interface HttpMatch {
  /** Name of the function. */
  function: string
  /** How it is asked. */
  http: ResolvedHttpTrigger
  /** What stands in the path for its parameters; `*` for the rest. */
  params: Readonly<Record<string, string>>
}

/** Which function answers which request. */
export class HttpRoutes {
  readonly #router = FindMyWay({ maxParamLength: MAX_PARAMETER_LENGTH })

  /** @throws FunctionsError `FUNCTION_INVALID` when two functions would answer the same requests */
  constructor(definitions: readonly Pick<FunctionDefinition, 'name' | 'http'>[]) {
    for (const { name, http } of definitions) {
      if (http === undefined) continue
      const trigger = httpTriggerSchema.parse(http)
      const methods = [trigger.method ?? HTTP_METHODS].flat() as HTTPMethod[]
      try {
        this.#router.on(methods, trigger.path, () => {}, { name, trigger })
      } catch (cause) {
        throw new FunctionsError(
          'FUNCTION_INVALID',
          `function ${name}: http: another function answers ${methods.join(', ')} ${trigger.path} already`,
          { cause },
        )
      }
    }
  }

  /** Who answers a request; undefined when no function does. */
  match(method: string, path: string): HttpMatch | undefined {
    const found =
      this.#router.find(method as HTTPMethod, path) ??
      (method === 'HEAD' ? this.#router.find('GET', path) : null)
    if (found === null || found.store === null) return undefined
    const { name, trigger } = found.store as { name: string; trigger: ResolvedHttpTrigger }
    return { function: name, http: trigger, params: found.params as HttpMatch['params'] }
  }

  /** The methods that functions answer at a path. */
  methodsAt(path: string): string[] {
    return HTTP_METHODS.filter((method) => this.match(method, path) !== undefined)
  }
}
