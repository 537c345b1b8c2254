import { expect, it } from 'vitest'
import { Confinement } from './confinement.js'

const times = (count: number, act: () => void) => Array.from({ length: count }, act)

it('a handler is confined by its third kill, and no other with it', () => {
  const confinement = new Confinement()
  times(2, () => confinement.killed('bad'))
  expect([confinement.isConfined('bad'), confinement.size]).toEqual([false, 0])
  confinement.killed('bad')
  expect([confinement.isConfined('bad'), confinement.size]).toEqual([true, 1])
  expect(confinement.isConfined('good')).toBe(false)
})

it('only 20 good calls in a row release it: a kill in between starts the count again', () => {
  const confinement = new Confinement()
  times(3, () => confinement.killed('bad'))
  times(19, () => confinement.finished('bad'))
  confinement.killed('bad')
  times(19, () => confinement.finished('bad'))
  expect(confinement.isConfined('bad')).toBe(true)
  confinement.finished('bad')
  expect(confinement.isConfined('bad')).toBe(false)
})

it('good calls of another handler do not count', () => {
  const confinement = new Confinement()
  times(3, () => confinement.killed('bad'))
  times(40, () => confinement.finished('good'))
  expect(confinement.isConfined('bad')).toBe(true)
})
