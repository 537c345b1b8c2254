import { expect, it } from 'vitest'
import { NativeLimitError, NativeObjects } from './native-objects.js'

const LIMIT = 10_000

it('finds what it keeps and what is below, and nothing else', () => {
  const image = new NativeObjects()
  const early = { early: true }
  const earlyId = image.add(early, 10, LIMIT)
  const [one, other] = [new NativeObjects(image), new NativeObjects(image)]
  const own = { own: true }
  const ownId = one.add(own, 10, LIMIT)
  expect([one.get(earlyId), other.get(earlyId), one.getOwn(earlyId)]).toEqual([
    early,
    early,
    undefined,
  ])
  expect([one.get(ownId), other.get(ownId), image.get(ownId)]).toEqual([own, undefined, undefined])
})

it('refuses what is over its limit of bytes, exactly', () => {
  const objects = new NativeObjects()
  objects.add({}, LIMIT - 256, LIMIT)
  expect(objects.bytes).toBe(LIMIT)
  expect(() => objects.add({}, 0, LIMIT)).toThrow(NativeLimitError)
  expect(() => new NativeObjects().add({}, LIMIT - 255, LIMIT)).toThrow(NativeLimitError)
})

it('refuses more than 10,000 objects', () => {
  const objects = new NativeObjects()
  for (let i = 0; i < 10_000; i++) objects.add({}, 0, 1e9)
  expect(() => objects.add({}, 0, 1e9)).toThrow(NativeLimitError)
})

it('drops what was not used for longest where state outlives calls', () => {
  const objects = new NativeObjects(undefined, { evicts: true })
  const ids = Array.from({ length: 3 }, (_, n) => objects.add({ n }, 3000 - 256, LIMIT))
  objects.get(ids[0])
  const last = objects.add({ n: 3 }, 3000 - 256, LIMIT)
  expect([...ids, last].map((id) => objects.get(id))).toEqual([
    { n: 0 },
    undefined,
    { n: 2 },
    { n: 3 },
  ])
  expect(objects.bytes).toBe(9000)
  expect(() => objects.add({}, LIMIT, LIMIT)).toThrow(NativeLimitError)
})
