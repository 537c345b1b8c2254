/** What the engine prints to its standard output and error goes nowhere: a guest must not write to the host's. */
export function quietFileDescriptors(memory: WebAssembly.Memory) {
  return {
    fd_write(_fd: number, iovsPtr: number, iovsLength: number, writtenPtr: number): number {
      const view = new DataView(memory.buffer)
      let written = 0
      for (let i = 0; i < iovsLength; i++) written += view.getUint32(iovsPtr + i * 8 + 4, true)
      view.setUint32(writtenPtr, written, true)
      return 0
    },
  }
}
