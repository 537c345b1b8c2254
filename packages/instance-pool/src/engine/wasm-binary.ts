/** Reads the binary format of WebAssembly. */
export class WasmReader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  byte(): number {
    return this.bytes[this.at++]!
  }

  /** An unsigned LEB128 number. */
  unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }

  take(length: number): Uint8Array {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  name(): string {
    return Buffer.from(this.take(this.unsigned())).toString()
  }
}

/** An unsigned number as LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0))
    value = Math.floor(value / 128)
  } while (value > 0)
  return bytes
}

/** A section with its number and length. */
export function section(id: number, content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Uint8Array.of(id, ...unsigned(length)), ...content])
}
