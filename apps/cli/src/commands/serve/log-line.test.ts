import { expect, it } from 'vitest'
import { styleOf } from '../../terminal/terminal.js'
import { logLine } from './log-line.js'

const plain = styleOf({} as NodeJS.WriteStream)
const time = new Date(2026, 10, 28, 9, 5, 7).toISOString()
const line = (entry: object) => logLine(JSON.stringify({ time, level: 'info', ...entry }), plain)

it('an entry is one line: time, level, message and fields', () => {
  const fields = { function: 'total', ms: 1.5, note: 'two words', names: ['a', 'b'] }
  expect(line({ msg: 'compiled', ...fields })).toBe(
    '09:05:07 info  compiled  function=total  ms=1.5  note="two words"  names=["a","b"]\n',
  )
})

it('a message of several lines is indented, and nothing in it reaches the terminal as a control', () => {
  const hostile = '\u001b[2Jfirst\nsecond'
  expect(line({ level: 'error', msg: hostile, reason: '\u001b[31m\u202e' })).toBe(
    '09:05:07 error \\u001b[2Jfirst\n         second  reason=\\u001b[31m\\u202e\n',
  )
})
