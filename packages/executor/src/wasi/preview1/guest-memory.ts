/**
 * The memory of the command that runs, seen by what it asks of the host: each access is checked, since
 * each address comes from the guest.
 */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined
  #bytes = Buffer.alloc(0)
  #view = new DataView(new ArrayBuffer(0))

  /** The memory to look at from now on. */
  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory
    this.#refresh(memory.buffer)
  }

  /** Whether `length` bytes from `address` are in the memory. */
  has(address: number, length: number): boolean {
    const { buffer } = this.#memory!
    if (buffer !== this.#bytes.buffer) this.#refresh(buffer)
    return (address >>> 0) + length <= buffer.byteLength
  }

  /** A window of the memory; valid until the guest runs on. Look with {@link has} first. */
  slice(address: number, length: number): Buffer {
    const start = address >>> 0
    return this.#bytes.subarray(start, start + length)
  }

  text(address: number, length: number): string {
    const start = address >>> 0
    return this.#bytes.toString('utf8', start, start + length)
  }

  write(address: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, address >>> 0)
  }

  u8(address: number): number {
    return this.#view.getUint8(address >>> 0)
  }

  u16(address: number): number {
    return this.#view.getUint16(address >>> 0, true)
  }

  u32(address: number): number {
    return this.#view.getUint32(address >>> 0, true)
  }

  u64(address: number): bigint {
    return this.#view.getBigUint64(address >>> 0, true)
  }

  setU8(address: number, value: number): void {
    this.#view.setUint8(address >>> 0, value)
  }

  setU16(address: number, value: number): void {
    this.#view.setUint16(address >>> 0, value, true)
  }

  setU32(address: number, value: number): void {
    this.#view.setUint32(address >>> 0, value, true)
  }

  setU64(address: number, value: bigint): void {
    this.#view.setBigUint64(address >>> 0, value, true)
  }

  #refresh(buffer: ArrayBuffer): void {
    this.#bytes = Buffer.from(buffer)
    this.#view = new DataView(buffer)
  }
}
