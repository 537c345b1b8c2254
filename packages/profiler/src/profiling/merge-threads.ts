import type { Profiler } from 'node:inspector'

/** The CPU profile of one thread. */
export interface ThreadCpuProfile {
  /** Such as `main`; the frame above everything the thread did. */
  thread: string
  /** The profile as V8 wrote it. */
  profile: Profiler.Profile
}

const ROOT_ID = 1

/**
 * Puts the profiles of several threads below one root, for a flame graph or pprof: time adds up over the threads.
 * Developer tools draw samples along one time line, so that they want each thread's own file.
 *
 * @example
 * ```ts
 * const merged = mergeThreadProfiles([{ thread: 'main', profile }, { thread: 'worker', profile: other }])
 * ```
 */
export function mergeThreadProfiles(threads: readonly ThreadCpuProfile[]): Profiler.Profile {
  const root = node(ROOT_ID, '(root)')
  const nodes = [root]
  const samples: number[] = []
  const timeDeltas: number[] = []
  for (const { thread, profile } of threads) {
    const offset = nodes.length + 1
    const [top] = profile.nodes
    if (!top) continue
    // Ids of V8 count from 1 but may have gaps; with new numbers they cannot collide with those of another thread.
    const ids = new Map(profile.nodes.map(({ id }, index) => [id, offset + index]))
    root.children!.push(offset)
    for (const original of profile.nodes) {
      const children = (original.children ?? []).map((id) => ids.get(id)!)
      const callFrame =
        original === top ? { ...original.callFrame, functionName: thread } : original.callFrame
      nodes.push({ ...original, id: ids.get(original.id)!, callFrame, children })
    }
    for (const id of profile.samples ?? []) samples.push(ids.get(id)!)
    timeDeltas.push(...(profile.timeDeltas ?? []))
  }
  const startTime = Math.min(...threads.map(({ profile }) => profile.startTime))
  const endTime = Math.max(...threads.map(({ profile }) => profile.endTime))
  return { nodes, startTime, endTime, samples, timeDeltas }
}

function node(id: number, functionName: string): Profiler.ProfileNode {
  const callFrame = { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }
  return { id, callFrame, children: [] }
}
