import { expect, it } from 'vitest'
import { leadingOptions } from './leading-options.js'

const isCommand = (name: string) => ['events', 'profile'].includes(name)
const parse = (...argv: string[]) => leadingOptions(argv, isCommand)

it('options of every command may come before it', () => {
  expect(parse('--url', 'http://a', 'events', '--limit', '3')).toEqual([
    ...['events', '--url', 'http://a', '--limit', '3'],
  ])
  expect(parse('--json', '--url=http://a', 'events')).toEqual([
    ...['events', '--json', '--url=http://a'],
  ])
  expect(parse('events', '--json')).toEqual(['events', '--json'])
  expect(parse()).toEqual([undefined])
  expect(parse('constructor')).toEqual(['constructor'])
  expect(parse('--url')).toEqual([undefined, '--url'])
})

it('what else stands before it is answered with the line to write', () => {
  expect(() => parse('--json', '--limit', '3', 'events', '--type', 'a')).toThrow(
    '--limit comes after the command: nexus events --json --limit 3 --type a',
  )
  expect(parse('--port')).toEqual(['--port'])
})
