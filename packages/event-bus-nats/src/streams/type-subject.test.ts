import { expect, it } from 'vitest'
import { subjectOfType, typeOfSubject } from './type-subject.js'

it.each([
  ['com.example.order.created', 'com.example.order.created'],
  ['order created', 'order%20created'],
  ['com.example.', 'com.example.%'],
  ['.a..b', '%.a.%.b'],
  ['100%', '100%25'],
  ['%', '%25'],
  ['%20', '%2520'],
  ['größe', 'größe'],
  ['a b.*.>', 'a%20b.*.>'],
])('%j is the subject %j, and comes back', (type, subject) => {
  expect(subjectOfType(type)).toBe(subject)
  expect(typeOfSubject(subject)).toBe(type)
})

it('every type has a subject of its own, without spaces and empty tokens', () => {
  const parts = ['', ' ', '%', '%20', '%25', 'a', '2', '0']
  const tokens = parts.flatMap((first) => parts.map((second) => first + second))
  const types = tokens.flatMap((first) => tokens.map((second) => `${first}.${second}`))
  const subjects = new Set<string>()
  for (const type of new Set(types)) {
    const subject = subjectOfType(type)
    expect(typeOfSubject(subject)).toBe(type)
    expect(subject).not.toMatch(/\s|^\.|\.\.|\.$/)
    subjects.add(subject)
  }
  expect(subjects.size).toBe(new Set(types).size)
})
