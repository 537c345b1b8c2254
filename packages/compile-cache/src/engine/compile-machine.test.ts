import { expect, it } from 'vitest'
import { CompileMachine } from './compile-machine.js'
import { CompileEngine, loadEngineModule } from './engine.js'

const limits = { memoryLimitBytes: 256 * 1024 * 1024, maxStackBytes: 256 * 1024 }
const newMachine = async () => CompileMachine.create(await loadEngineModule(), limits)

function sourceOf(length: number, seed = 0): string {
  let source = ''
  for (let n = 0; source.length < length; n++) {
    source += `export const name${seed}_${n} = (event) => [event.a${n}, "${seed}"]\n`
  }
  return source
}

it('one machine compiles hundreds of sources without growing', async () => {
  const machine = await newMachine()
  for (let n = 0; n < 200; n++) {
    expect(machine.compile(sourceOf(20_000, n), 'a.js')).toHaveProperty('bytecode')
  }
  expect(machine.spent).toBe(false)
})

it('failed compiles leave nothing behind either', async () => {
  const machine = await newMachine()
  for (let n = 0; n < 200; n++) {
    expect(machine.compile(`${sourceOf(20_000, n)} let x = ;`, 'a.js')).toHaveProperty('fault')
  }
  expect(machine.spent).toBe(false)
})

it('a machine whose memory grew is spent, and what it compiled is right', async () => {
  const machine = await newMachine()
  const source = sourceOf(1_000_000)
  const first = machine.compile(source, 'a.js')
  expect(machine.spent).toBe(true)
  const second = (await newMachine()).compile(source, 'a.js')
  expect.assert('bytecode' in first && 'bytecode' in second)
  expect(Buffer.compare(first.bytecode, second.bytecode)).toBe(0)
})

it('a machine that ran out of the host stack is spent', async () => {
  const machine = await newMachine()
  expect(machine.compile('('.repeat(100_000), 'a.js')).toMatchObject({ fault: { kind: 'limit' } })
  expect(machine.spent).toBe(true)
})

it('an import is not asked for again by the next source', async () => {
  const machine = await newMachine()
  expect(machine.compile('import "a"', 'a.js')).toMatchObject({ fault: { kind: 'import' } })
  expect(machine.compile('let x = ;', 'a.js')).toMatchObject({ fault: { kind: 'syntax' } })
})

it('an engine goes on with a new machine, also for compiles that waited', async () => {
  const engine = new CompileEngine(limits)
  const results = await Promise.all(
    [sourceOf(1_000_000), '('.repeat(100_000), 'export default 1', 'export default 2'].map(
      (source) => engine.compile(source, 'a.js'),
    ),
  )
  expect(results.map((result) => 'bytecode' in result)).toEqual([true, false, true, true])
})

it('an engine whose module could not be loaded tries again', async () => {
  let attempts = 0
  const engine = new CompileEngine(limits, async () => {
    if (++attempts === 1) throw new Error('EMFILE')
    return loadEngineModule()
  })
  await expect(engine.compile('export default 1', 'a.js')).rejects.toThrow('EMFILE')
  expect(await engine.compile('export default 1', 'a.js')).toHaveProperty('bytecode')
})
