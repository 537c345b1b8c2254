import { expect, it } from 'vitest'
import { Teardown } from './teardown.js'

it('undoes the last step first, each once, and every one although one of them fails', async () => {
  const done: string[] = []
  const teardown = new Teardown()
  teardown.add(() => done.push('first'))
  teardown.add(async () => {
    throw new Error('second')
  })
  teardown.add(() => done.push('third'))
  await expect(Promise.all([teardown.run(), teardown.run()])).rejects.toThrow('second')
  expect(done).toEqual(['third', 'first'])
})
