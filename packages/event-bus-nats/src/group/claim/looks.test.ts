import { expect, it } from 'vitest'
import { Looks } from './looks.js'

function looksThatCount(inHand: readonly number[] = []) {
  const read: string[] = []
  const looks = new Looks<{ key: number; name: string }, string>(
    ({ key }) => key,
    (key) => inHand.includes(key),
    async ({ name }) => {
      read.push(name)
      return `of ${name}`
    },
  )
  return { looks, read }
}

it('reads what is known of all messages that arrive before the turn of the first', async () => {
  const { looks, read } = looksThatCount()
  const [first, second] = ['a', 'b'].map((name, key) => looks.begin({ key, name }))
  expect(read).toEqual(['a', 'b'])
  expect([await first!.read(), await second!.read()]).toEqual(['of a', 'of b'])
  expect(read).toEqual(['a', 'b'])
})

it('reads what is in hand, or is looked at already, when its turn comes', async () => {
  const { looks, read } = looksThatCount([7])
  const inHand = looks.begin({ key: 7, name: 'in hand' })
  const first = looks.begin({ key: 1, name: 'first' })
  const second = looks.begin({ key: 1, name: 'second' })
  expect(read).toEqual(['first'])
  await inHand.read()
  first.end()
  await second.read()
  expect(read).toEqual(['first', 'in hand', 'second'])
  looks.begin({ key: 1, name: 'later' })
  expect(read.at(-1)).toBe('later')
})

it('tells of a failed read at the turn of its message', async () => {
  const failure = new Error('away')
  const looks = new Looks<number, never>(
    (key) => key,
    () => false,
    async () => {
      throw failure
    },
  )
  const look = looks.begin(1)
  await new Promise(setImmediate)
  await expect(look.read()).rejects.toBe(failure)
})
