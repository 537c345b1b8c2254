/** Reads the integers and vectors of the WebAssembly binary format (core specification, chapter 5). */
export class BinaryReader {
  #at: number

  constructor(
    private readonly bytes: Uint8Array,
    start = 0,
    private readonly end = bytes.length,
  ) {
    this.#at = start
  }

  get position(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at >= this.end
  }

  byte(): number {
    if (this.#at >= this.end) throw new RangeError(`unexpected end at byte ${this.#at}`)
    return this.bytes[this.#at++]!
  }

  /** An unsigned integer of at most 53 bits: LEB128. */
  integer(): number {
    let value = 0
    for (let factor = 1; factor < 2 ** 53; factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new RangeError(`an integer is too long at byte ${this.#at}`)
  }

  skip(length: number): void {
    if (length > this.end - this.#at) throw new RangeError(`unexpected end at byte ${this.end}`)
    this.#at += length
  }

  take(length: number): Uint8Array {
    const start = this.#at
    this.skip(length)
    return this.bytes.subarray(start, start + length)
  }

  /** A length and as many bytes of UTF-8. */
  name(): string {
    return new TextDecoder().decode(this.take(this.integer()))
  }

  /** A length and as many items. */
  vector<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.integer(); left > 0; left--) items.push(read())
    return items
  }
}

/** The bytes of an unsigned integer: LEB128. */
export function encodeInteger(value: number): number[] {
  const bytes: number[] = []
  do {
    const low = value % 128
    value = Math.floor(value / 128)
    bytes.push(value > 0 ? low | 0x80 : low)
  } while (value > 0)
  return bytes
}

/** A length and the UTF-8 of a text. */
export function encodeName(name: string): number[] {
  const utf8 = new TextEncoder().encode(name)
  return [...encodeInteger(utf8.length), ...utf8]
}
