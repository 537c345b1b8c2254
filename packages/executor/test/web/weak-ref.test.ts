import { expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

const run = async (body: string) => {
  const { value, error } = await runtime.executeHandler(handler(body), { event: null })
  expect(error).toBeUndefined()
  return value
}

it('keeps the target of a new WeakRef until the job ends', async () => {
  expect(
    await run(
      `const ref = new WeakRef({ n: 1 }); for (let i = 0; i < 1e4; i++) ({}); return ref.deref()?.n`,
    ),
  ).toBe(1)
})

it('keeps a target that was asked for until the job ends', async () => {
  expect(
    await run(`let target = { n: 1 }
      const ref = new WeakRef(target)
      await null
      ref.deref()
      target = undefined
      return ref.deref()?.n`),
  ).toBe(1)
})

it('forgets a target in a later job, when nothing else refers to it', async () => {
  expect(
    await run(`const ref = new WeakRef({ n: 1 })
      await new Promise((done) => setTimeout(done, 1))
      return ref.deref() === undefined`),
  ).toBe(true)
})

it('keeps nothing that others refer to from being found later', async () => {
  expect(
    await run(`const target = { n: 1 }
      const ref = new WeakRef(target)
      await new Promise((done) => setTimeout(done, 1))
      return ref.deref() === target`),
  ).toBe(true)
})

it('is the class of the language', async () => {
  expect(
    await run(`class Named extends WeakRef {}
      const refuses = (make) => { try { make(); return false } catch (error) { return error instanceof TypeError } }
      return [
        new Named({}) instanceof WeakRef, WeakRef.name, WeakRef.length, String(new WeakRef({})),
        refuses(() => new WeakRef(1)), refuses(() => WeakRef({})), refuses(() => WeakRef.prototype.deref.call({})),
      ]`),
  ).toEqual([true, 'WeakRef', 1, '[object WeakRef]', true, true, true])
})
