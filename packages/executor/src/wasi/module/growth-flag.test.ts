import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { assemble } from '../../../test/wasi/wat.js'
import { flagRefusedGrowth, GROWTH_FLAG } from './growth-flag.js'
import { readModuleLayout } from './module-layout.js'

const flag = (bytes: Uint8Array) => flagRefusedGrowth(bytes, readModuleLayout(bytes))

/** Every kind of immediate, many of them with the bytes of `memory.grow` (0x40 0x00) in them. */
const LOOKALIKES = `
  (table $t 4 funcref) (elem declare func $nothing) (elem $e func $nothing)
  (data $d "abc") (type $sig (func (result i32)))
  (func $nothing)
  (func $number (type $sig) (i32.const 64))
  (func $lookalikes (param $x i32) (result i32) (local i64 f32 f64 v128)
    (local.set 1 (i64.const 0x40))
    (local.set 2 (f32.const nan:0x400040))
    (local.set 3 (f64.const 0x1.0004000400040p+1))
    (local.set 4 (v128.const i32x4 0x00400040 0x40004000 64 0))
    (local.set 4 (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 4) (local.get 4)))
    (local.set 4 (v128.load offset=64 (i32.const 0)))
    (local.set 4 (v128.load8_lane offset=64 7 (i32.const 0) (local.get 4)))
    (drop (i8x16.extract_lane_u 3 (local.get 4)))
    (block $a (block $b (br_table $a $b $a (local.get $x))))
    (drop (select (result i32) (i32.const 64) (i32.const 0) (local.get $x)))
    (i32.store offset=64 (i32.const 64) (i32.const 0x4000))
    (i64.store16 offset=8192 align=1 (i32.const 0) (i64.const -1))
    (drop (i32.trunc_sat_f64_s (local.get 3)))
    (memory.fill (i32.const 64) (i32.const 0) (i32.const 64))
    (memory.copy (i32.const 64) (i32.const 0) (i32.const 64))
    (memory.init $d (i32.const 64) (i32.const 0) (i32.const 1))
    (data.drop $d)
    (table.set $t (i32.const 0) (ref.func $nothing))
    (drop (ref.is_null (table.get $t (i32.const 0))))
    (table.init $t $e (i32.const 1) (i32.const 0) (i32.const 1))
    (elem.drop $e)
    (table.copy (i32.const 0) (i32.const 1) (i32.const 1))
    (table.fill $t (i32.const 2) (ref.null func) (i32.const 1))
    (drop (table.grow $t (ref.null func) (i32.const 1)))
    (drop (table.size $t))
    (table.set $t (i32.const 0) (ref.func $number))
    (if (result i32) (local.get $x)
      (then (call_indirect $t (type $sig) (i32.const 0)))
      (else (i32.add (memory.size) (i32.const 0x4000)))))
  (elem declare func $number)`

const module = (fields: string) => `(module
  (import "host" "f" (func $f (param i32)))
  (memory (export "memory") 1 4) ${fields}
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "add") (param i32) (result i32)
    (i32.add (memory.grow (local.get 0)) (memory.grow (local.get 0)))))`

interface Exports {
  grow(pages: number): number
  add(pages: number): number
  look(x: number): number
  [GROWTH_FLAG]: WebAssembly.Global
}

async function exportsOf(bytes: Uint8Array): Promise<Exports> {
  const compiled = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  const instance = await WebAssembly.instantiate(compiled, { host: { f: () => {} } })
  return instance.exports as unknown as Exports
}

it('the flag says whether the last growth was refused, and the answers stay what they were', async () => {
  const flagged = flag(await assemble(module('')))!
  const { grow, add, [GROWTH_FLAG]: refused } = await exportsOf(flagged)
  expect(refused.value).toBe(0)
  expect(grow(1)).toBe(1)
  expect(refused.value).toBe(0)
  expect(grow(3)).toBe(-1)
  expect(refused.value).toBe(1)
  expect(add(1)).toBe(2 + 3)
  expect(refused.value).toBe(0)
  expect(add(1)).toBe(-2)
  expect(refused.value).toBe(1)
})

it('nothing else is taken for a growth, and a module keeps its own globals', async () => {
  const fields = `${LOOKALIKES}
    (global $own (export "own") (mut i32) (i32.const 7))
    (func (export "look") (param i32) (result i32) (call $lookalikes (local.get 0)))`
  const original = await assemble(module(fields))
  const flagged = flag(original)!
  for (const x of [0, 1]) {
    const [before, after] = [await exportsOf(original), await exportsOf(flagged)]
    expect(after.look(x)).toBe(before.look(x))
    expect(after[GROWTH_FLAG].value).toBe(0)
    expect(after.grow(100)).toBe(-1)
    expect(after[GROWTH_FLAG].value).toBe(1)
    expect(Object.keys(after)).toEqual([...Object.keys(before), GROWTH_FLAG])
  }
})

it('real modules stay valid', async () => {
  for (const path of [
    '../../../node_modules/quickjs-wasi/quickjs.wasm',
    '../../../../../examples/wasi/functions/delivery-zone.wasm',
    '../../../../../examples/wasi/functions/slug.wasm',
  ]) {
    const flagged = flag(await readFile(new URL(path, import.meta.url)))
    expect(flagged && WebAssembly.validate(flagged), path).toBe(true)
  }
})

it('a module that never grows, or whose code is not known, is left as it is', async () => {
  expect(flag(await assemble('(module (memory (export "memory") 1))'))).toBeUndefined()
  expect(flag(await assemble('(module (func (export "f") (drop (i32.const 64))))'))).toBeUndefined()
  const bytes = await assemble(module('(func $odd (nop) (nop) (drop (memory.grow (i32.const 1))))'))
  const at = Buffer.from(bytes).indexOf(Buffer.from([1, 1, 0x41, 1, 0x40, 0]))
  bytes[at] = 0x06
  expect(flag(bytes)).toBeUndefined()
})
