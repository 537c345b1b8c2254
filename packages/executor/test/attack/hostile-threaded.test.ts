import { afterAll, beforeAll, describe, it } from 'vitest'
import { Arena } from './hostile/arena.js'
import { corpus } from './hostile/corpus.js'
import { reportOverruns } from './hostile/overruns.js'

describe('a hostile program, on a thread,', () => {
  let arena: Arena
  beforeAll(() => {
    arena = new Arena({ threads: 2 })
    return arena.open()
  })
  afterAll(async () => {
    reportOverruns('threaded', arena.overruns)
    await arena.close()
  })

  it.each(corpus.map((program) => [program.name, program] as const))(
    'ends in time and leaves nothing behind: %s',
    (_name, program) => arena.face(program),
  )
})
