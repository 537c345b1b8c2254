/** What a guest hands to a native service: bytes as a typed array or an ArrayBuffer. */
export type GuestArgument = string | number | Uint8Array | ArrayBuffer | undefined

/** What a native service gives a guest. */
export type GuestAnswer = string | ArrayBuffer

/** How the host's services reach the guest's side of the platform; see `native/native-service.ts`. */
export interface GuestNative {
  /**
   * Answers at once.
   *
   * @throws what the service refused: a TypeError, a RangeError with the code `RESOURCE_LIMIT`, a DOMException …
   */
  now(name: string, ...args: GuestArgument[]): GuestAnswer
  /** Answers later; counts as a host call. */
  later(name: string, ...args: GuestArgument[]): Promise<GuestAnswer>
}

/** An error of a native service, as it crosses. */
export interface NativeFailure {
  name: string
  message: string
  code?: string
  isDOMException?: true
}

/** Where guest modules find {@link GuestNative}: `globalThis[Symbol.for(NATIVE_SYMBOL)]`. */
export const NATIVE_SYMBOL = 'nexus.native'

/**
 * Makes what opens the answers of native services.
 *
 * The guest gets the source of this function: it may use nothing but its arguments and globals.
 */
export function createAnswerOpener(
  slice: (text: string, from: number) => string,
): (answer: string | ArrayBuffer) => GuestAnswer {
  const { parse } = JSON
  const { DOMException, Error: GuestError } = globalThis
  const kinds: Record<string, ErrorConstructor> = Object.assign(Object.create(null), {
    TypeError,
    RangeError,
    SyntaxError,
  })
  const { defineProperty } = Object

  const revived = ({ name, message, code, isDOMException }: NativeFailure): Error => {
    if (isDOMException) return new DOMException(message, name)
    const error = new (kinds[name] ?? GuestError)(message)
    if (error.name !== name) {
      const value = { __proto__: null, value: name, writable: true, configurable: true }
      defineProperty(error, 'name', value as PropertyDescriptor)
    }
    if (code !== undefined) (error as Error & { code?: string }).code = code
    return error
  }
  return (answer) => {
    if (typeof answer !== 'string') return answer
    // The first character says what the rest is: `=` an answer, `!` an error.
    if (answer[0] === '!') throw revived(parse(slice(answer, 1)) as NativeFailure)
    return slice(answer, 1)
  }
}
