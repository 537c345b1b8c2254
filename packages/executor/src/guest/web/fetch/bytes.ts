import type { GuestKit, PartExports } from '../../platform/kit.js'

/** What the parts that carry bodies do with bytes. */
export function installBytes(_kit: GuestKit): PartExports['bytes'] {
  const concat = (chunks: readonly Uint8Array[], length: number): Uint8Array => {
    const whole = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }
  return { concat }
}
