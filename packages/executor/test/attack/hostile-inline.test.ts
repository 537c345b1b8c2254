import { afterAll, beforeAll, describe, it } from 'vitest'
import { Arena } from './hostile/arena.js'
import { corpus } from './hostile/corpus.js'
import { reportOverruns } from './hostile/overruns.js'

describe('a hostile program, inline,', () => {
  const arena = new Arena({ threads: 0 })
  beforeAll(() => arena.open())
  afterAll(async () => {
    reportOverruns('inline', arena.overruns)
    await arena.close()
  })

  const stoppable = corpus.filter(({ needsHardKill }) => !needsHardKill)
  it.each(stoppable.map((program) => [program.name, program] as const))(
    'ends in time and leaves nothing behind: %s',
    (_name, program) => arena.face(program),
  )
})
