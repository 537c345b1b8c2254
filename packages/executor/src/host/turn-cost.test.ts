import { expect, it } from 'vitest'
import { emptyRawResult, type Question, type RawResult } from '../call/call.js'
import { costOfQuestion, costOfResult } from './turn-cost.js'

const call = { kind: 'host-function', name: 'a', method: 'b' } as const
const request = {
  url: '',
  method: 'POST',
  headers: [],
  redirect: 'follow',
  body: new Uint8Array(700),
} as const

it.each<[string, Question, number]>([
  ['a short text', { ...call, encodedArguments: '=[1]', steps: 4 }, 4.4],
  ['a text', { ...call, encodedArguments: 'x'.repeat(1_000), steps: 3 }, 103],
  ['the same text as bytes', { ...call, encodedArguments: new Uint8Array(1_000), steps: 3 }, 103],
  ['a fetch', { kind: 'fetch', request: { ...request, headers: [] }, steps: 9 }, 79],
  ['a fetch that was not read', { kind: 'fetch', request: undefined, steps: 0 }, 0],
  ['the next of a body', { kind: 'body', fetchId: 1, all: true, steps: 0 }, 0],
  [
    'a part of a body',
    { kind: 'body-part', fetchId: 1, bytes: new Uint8Array(50), ended: false, steps: 2 },
    7,
  ],
])('a question costs its steps, and one for each 10 of what it holds: %s', (_, question, cost) => {
  expect(costOfQuestion(question)).toBeCloseTo(cost)
})

it.each<[string, Partial<RawResult>, number]>([
  ['nothing', {}, 5],
  ['the value', { valueJson: 'x'.repeat(100) }, 15],
  [
    'the type of an event',
    { events: [{ type: 'x'.repeat(20), dataJson: '', attributesJson: '' }] },
    7,
  ],
  [
    'the data of an event',
    { events: [{ type: '', dataJson: 'x'.repeat(20), attributesJson: '' }] },
    7,
  ],
  ['its attributes', { events: [{ type: '', dataJson: '', attributesJson: 'x'.repeat(20) }] }, 7],
  [
    'the messages of a log',
    {
      logs: Array(3).fill({
        level: 'info',
        message: 'x'.repeat(10),
        time: 0,
        fieldsJson: undefined,
      }),
    },
    8,
  ],
  [
    'the fields of a log',
    { logs: [{ level: 'info', message: '', time: 0, fieldsJson: 'x'.repeat(30) }] },
    8,
  ],
])('the end of a call costs its steps, and one for each 10 characters: %s', (_, parts, cost) => {
  expect(costOfResult({ ...emptyRawResult(undefined), steps: 5, ...parts })).toBeCloseTo(cost)
})
