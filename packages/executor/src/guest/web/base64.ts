import type { GuestKit } from '../platform/kit.js'

/** Gives `atob` and `btoa` the TypeError of a call without arguments, which the engine's own lack (quickjs-wasi 3.6.2). */
export function installBase64(kit: GuestKit): void {
  const { require } = kit.need('argument-errors')
  const { atob: decode, btoa: encode } = globalThis
  const checked = (run: (text: string) => string) => {
    const checkedRun = (...args: [text?: unknown]) => {
      require(args, 'input')
      return run(`${args[0]}`)
    }
    Object.defineProperty(checkedRun, 'length', { value: 1, configurable: true })
    return checkedRun
  }
  kit.expose({ atob: checked(decode), btoa: checked(encode) })
}
