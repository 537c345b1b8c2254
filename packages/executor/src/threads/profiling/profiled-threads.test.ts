import type { Profiler } from 'node:inspector'
import { expect, it } from 'vitest'
import type { ToThread } from '../protocol.js'
import type { SandboxThread } from '../sandbox-thread.js'
import { ProfiledThreads } from './profiled-threads.js'

function fakeThread() {
  const sent: ToThread[] = []
  const thread = { send: (message: ToThread) => sent.push(message) } as unknown as SandboxThread
  return { thread, sent }
}

const profile: Profiler.Profile = { nodes: [], startTime: 0, endTime: 1 }

it('threads that end, or are too busy to answer, are left out; the others keep their names', async () => {
  const profiled = new ProfiledThreads(1, 500)
  const [ended, busy, well] = [fakeThread(), fakeThread(), fakeThread()]
  for (const { thread } of [ended, busy, well]) profiled.add(thread)
  profiled.ended(ended.thread)
  profiled.received(well.thread, { kind: 'profiled', profileId: 1, profile })
  expect(await profiled.stop(0)).toEqual([{ thread: 'sandbox-3', profile }])
  expect(busy.sent).toEqual([
    { kind: 'profile', samplingIntervalUs: 500 },
    { kind: 'profile-end', profileId: 1 },
  ])
})

it('a late answer to an earlier profile is not taken for the present one', async () => {
  const { thread } = fakeThread()
  const profiled = new ProfiledThreads(2, 500)
  profiled.add(thread)
  const late = { ...profile, endTime: 99 }
  profiled.received(thread, { kind: 'profiled', profileId: 1, profile: late })
  profiled.received(thread, { kind: 'profiled', profileId: 2, profile })
  expect(await profiled.stop(60_000)).toEqual([{ thread: 'sandbox-1', profile }])
})
