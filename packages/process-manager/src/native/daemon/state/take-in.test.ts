import { describe, expect, it } from 'vitest'
import { processIdentity } from '../../../process-identity.js'
import { withDefaults } from '../../../service/service-defaults.js'
import type { ProcessNote } from './process-note.js'
import { takeIn } from './take-in.js'

const running = (output: string, startedAt = 1) => ({
  pid: process.pid,
  identity: processIdentity(process.pid) as string,
  startedAt,
  restarts: 0,
  output,
})
const ended = { ...running('gone'), identity: 'boot/1' }
const note = (index: number, output: string, startedAt = 1): ProcessNote => ({
  ...{ service: 'web', script: '/srv/web.mjs', port: 80, index },
  process: running(output, startedAt),
})
const defined = {
  definition: withDefaults({ name: 'web', script: '/srv/web.mjs', port: 80, instances: 2 }),
  wanted: false,
  definitionLost: false,
  instances: [ended, null],
  passing: [],
}

describe('Processes of a service that is not known', () => {
  it('go on together, also two in one place, and are not started again', () => {
    const found = [note(1, 'c'), note(0, 'b', 2), note(0, 'a', 1)]
    expect(takeIn([], found)).toMatchObject([
      {
        definition: { name: 'web', port: 80, instances: 3, autoRestart: false },
        ...{ wanted: true, definitionLost: true, passing: [] },
        instances: [{ output: 'a' }, { output: 'b' }, { output: 'c' }],
      },
    ])
  })

  it('join those that were found before', () => {
    const [lost] = takeIn([], [note(0, 'a')])
    expect(takeIn([lost!], [note(0, 'b')])).toMatchObject([
      { definition: { instances: 2 }, instances: [{ output: 'a' }, { output: 'b' }] },
    ])
  })
})

describe('Processes of a service that is known', () => {
  it('take their place where what had it has ended, or nothing had', () => {
    expect(takeIn([defined], [note(0, 'a'), note(1, 'b')])).toEqual([
      { ...defined, wanted: true, instances: [running('a'), running('b')] },
    ])
  })

  it('are to end where their place is taken, or there is none', () => {
    const taken = { ...defined, wanted: true, instances: [running('a'), null] }
    expect(takeIn([taken], [note(0, 'b'), note(2, 'c')])).toEqual([
      { ...taken, passing: [running('b'), running('c')] },
    ])
  })
})

it('what nothing is found of stays as it is', () => {
  expect(takeIn([defined], [])).toEqual([defined])
})
