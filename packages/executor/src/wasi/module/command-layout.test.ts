import { expect, it } from 'vitest'
import { command } from '../../../test/wasi/wat.js'
import { ExecutorError } from '../../errors.js'
import { layOutCommand } from './command-layout.js'

const CUSTOM = [0, 5, 4, ...Buffer.from('name')]

it('a module gets its memory as an import, and keeps everything else', async () => {
  const binary = await command('(drop (call $say (i32.const 1) (i32.const 0) (i32.const 0)))', {
    memory: '(memory (export "memory") 2 7)',
    fields: '(table 3 funcref) (global $g (mut i32) (i32.const 1)) (data (i32.const 0) "x")',
  })
  const layout = layOutCommand(binary, 'a.wasm')
  expect(layout).toMatchObject({
    initialPages: 2,
    maximumPages: 7,
    tableBytes: 48,
    usesFiles: false,
  })
  const before = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>)
  const after = new WebAssembly.Module(layout.wasm)
  expect(WebAssembly.Module.imports(after)).toEqual([
    ...WebAssembly.Module.imports(before),
    { module: 'nexus', name: 'memory', kind: 'memory' },
  ])
  expect(WebAssembly.Module.exports(after)).toEqual(WebAssembly.Module.exports(before))
})

it('a module without imports gets one; custom sections may stand anywhere', () => {
  const sections = [
    [1, 4, 1, 0x60, 0, 0],
    CUSTOM,
    [3, 2, 1, 0],
    CUSTOM,
    [5, 3, 1, 0, 1],
    [7, 19, 2, 6, ...Buffer.from('memory'), 2, 0, 6, ...Buffer.from('_start'), 0, 0],
    [10, 4, 1, 2, 0, 0x0b],
    CUSTOM,
  ]
  const binary = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()])
  const { wasm } = layOutCommand(binary, 'a.wasm')
  const module = new WebAssembly.Module(wasm)
  expect(WebAssembly.Module.imports(module)).toHaveLength(1)
  expect(WebAssembly.Module.customSections(module, 'name')).toHaveLength(3)
})

it('whatever a binary holds, it is laid out or refused', async () => {
  const binary = await command('(drop (i32.const 1))', { fields: '(table 3 funcref)' })
  let refused = 0
  let broken = 0
  for (let at = 0; at < binary.length; at++) {
    for (const value of [0, 1, 2, 5, 0x40, 0x7f, 0x80, 0xff]) {
      const changed = Uint8Array.from(binary)
      changed[at] = value
      for (const bytes of [changed, changed.subarray(0, at)]) {
        try {
          if (!WebAssembly.validate(layOutCommand(bytes, 'a.wasm').wasm)) broken++
        } catch (error) {
          expect(error).toBeInstanceOf(ExecutorError)
          refused++
        }
      }
    }
  }
  expect(refused).toBeGreaterThan(100)
  expect(broken).toBeGreaterThan(100)
})
