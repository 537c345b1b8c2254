import { MAX_HOST_ANSWER } from '@nexus/instance-pool'
import { expect, it } from 'vitest'
import { openSandbox } from './sandbox.js'

const { template, load } = await openSandbox()

it('reaches the host function of the lease, and gets its answer', async () => {
  const instance = await template.instantiate(await load('export default (n) => host("ask", n)'))
  const asked: unknown[] = []
  instance.begin(Number.POSITIVE_INFINITY, 1e8, (args) => {
    asked.push(instance.readString(args[0]!), instance.readNumber(args[1]!))
    return MAX_HOST_ANSWER
  })
  const result = instance.call(template.entries.run, instance.newString('5'))
  expect(instance.readString(result)).toBe(String(MAX_HOST_ANSWER))
  expect(asked).toEqual(['ask', 5])
})

it('is ignored once the call is over', async () => {
  const instance = await template.instantiate(await load('export default (n) => host(n)'))
  let calls = 0
  instance.begin(Number.POSITIVE_INFINITY, 1e8, () => ++calls)
  instance.end()
  instance.call(template.entries.run, instance.newString('5'))
  expect(calls).toBe(0)
})
