import { expect, it } from 'vitest'
import { Allowance } from './allowance.js'

it('gives a minute’s worth at once, then as time goes by, and never more', () => {
  let nowMs = 0
  const allowance = new Allowance(60, { now: () => nowMs })
  expect(allowance.take(60)).toEqual({ taken: true })
  expect(allowance.take(1)).toEqual({ taken: false, waitSeconds: 1 })
  nowMs = 999
  expect(allowance.take(1)).toEqual({ taken: false, waitSeconds: 1 })
  nowMs = 1000
  expect(allowance.take(1)).toEqual({ taken: true })
  nowMs = 3_600_000
  expect(allowance.take(60)).toEqual({ taken: true })
  expect(allowance.take(30)).toEqual({ taken: false, waitSeconds: 30 })
})

it('takes what is more than a minute’s worth when it is full', () => {
  const allowance = new Allowance(10, { now: () => 0 })
  expect(allowance.take(500)).toEqual({ taken: true })
  expect(allowance.take(500)).toMatchObject({ taken: false, waitSeconds: 60 })
})
