import createWabt from 'wabt'

const wabt = createWabt()

/** The binary of a module in the WebAssembly text format. */
export async function assemble(wat: string): Promise<Uint8Array> {
  const module = (await wabt).parseWat('test.wat', wat)
  const { buffer } = module.toBinary({})
  module.destroy()
  return buffer
}

const IMPORTS = `
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))`

/**
 * A command with one page of memory. Within `main`: `$say` writes a range of memory to a descriptor,
 * `$read` reads from stdin to an address, and both return what the host answered. The first 16 bytes of
 * memory are theirs.
 */
export function command(
  main: string,
  { imports = '', fields = '', memory = '(memory (export "memory") 1)' } = {},
): Promise<Uint8Array> {
  return assemble(`(module ${IMPORTS} ${imports} ${memory} ${fields}
    (func $say (param $fd i32) (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    (func $read (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (func (export "_start") ${main}))`)
}

/** Copies the event to stdout as it came. */
export const ECHO = `
  (drop (call $read (i32.const 1024) (i32.const 32768)))
  (drop (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 8))))`

/** Writes the text of a data segment at 1024 to a descriptor. */
export function print(fd: number, text: string) {
  const length = Buffer.byteLength(text)
  return {
    main: `(drop (call $say (i32.const ${fd}) (i32.const 1024) (i32.const ${length})))`,
    data: `(data (i32.const 1024) ${JSON.stringify(text)})`,
  }
}
