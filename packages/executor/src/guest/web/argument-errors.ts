import type { PartExports } from '../platform/kit.js'

/** Makes the errors of wrong arguments, with the codes and the texts that Node's have: programs look at the codes. */
export function installArgumentErrors(): PartExports['argument-errors'] {
  const { assign, defineProperty, getOwnPropertyDescriptor, hasOwn } = Object
  const { ownKeys } = Reflect
  const { isArray } = Array

  const shown = (value: unknown): string => {
    if (value === null || value === undefined) return `${value}`
    if (typeof value === 'function') return `function ${value.name}`
    if (typeof value !== 'object') return `type ${typeof value} (${String(value)})`
    const kind: unknown = value.constructor
    return typeof kind === 'function' ? `an instance of ${kind.name}` : 'an object'
  }
  const coded = (code: string, message: string, Kind: ErrorConstructor = TypeError) =>
    assign(new Kind(message), { code })
  const wrongType = (name: string, expected: string, given: unknown) =>
    coded(
      'ERR_INVALID_ARG_TYPE',
      `The "${name}" argument must be ${expected}. Received ${shown(given)}`,
    )

  return {
    coded,
    wrongType,
    illegalConstructor: () => coded('ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor'),
    require(args, ...names) {
      if (args.length >= names.length) return
      const quoted = names.map((name) => `"${name}"`).join(' and ')
      const what = `${quoted} argument${names.length > 1 ? 's' : ''}`
      throw coded('ERR_MISSING_ARGS', `The ${what} must be specified`)
    },
    requireCount(args, count, what) {
      if (args.length >= count) return
      const s = count === 1 ? '' : 's'
      const only = args.length === 0 ? '' : 'only '
      throw new TypeError(
        `${what}: ${count} argument${s} required, but ${only}${args.length} found.`,
      )
    },
    guardInherited(prototype, base, own) {
      for (const key of ownKeys(base)) {
        if (key === 'constructor' || hasOwn(prototype, key)) continue
        const { value, get, set } = getOwnPropertyDescriptor(base, key)!
        const member: PropertyDescriptor = { configurable: true }
        if (get)
          member.get = function (this: object) {
            return get.call(own(this))
          }
        if (set)
          member.set = function (this: object, to: unknown) {
            set.call(own(this), to)
          }
        if (typeof value === 'function') {
          member.writable = true
          // A method's function cannot be called with `new`, and has the name.
          member.value = {
            [key](this: object, ...args: unknown[]) {
              return value.apply(own(this), args)
            },
          }[key as string]
        }
        if (get || member.value) defineProperty(prototype, key, member)
      }
    },
    optionsOf(options, name = 'options') {
      if (options === undefined || options === null) return {}
      if (typeof options === 'object' && !isArray(options)) return options
      throw wrongType(name, 'of type object', options)
    },
  }
}
