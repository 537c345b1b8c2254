import type { ProfileReport } from '@nexus/client'
import type { ThreadCpuProfile } from '@nexus/profiler'

const endings = ['.html', '.cpuprofile', '.heapprofile', '.pb.gz', '.json'] as const

/** What a profile can be written as; the ending of a file name without its dot. */
export type ProfileFormat = 'html' | 'cpuprofile' | 'heapprofile' | 'pb.gz' | 'json'

/** The profile of each thread, which developer tools want as a file of its own. */
export function threadProfiles({ cpuProfile, threads }: ProfileReport): ThreadCpuProfile[] {
  const all = [{ name: 'main', cpuProfile: cpuProfile.profile }, ...threads]
  return all.map(({ name, cpuProfile: profile }) => ({
    thread: name,
    profile: profile as ThreadCpuProfile['profile'],
  }))
}

/** The format that a file's name asks for. */
export function formatOf(file: string): ProfileFormat | undefined {
  const ending = endings.find((known) => file.toLowerCase().endsWith(known))
  return ending?.slice(1) as ProfileFormat | undefined
}

/**
 * The content of a file: a flame graph, what developer tools and pprof open, or the whole report with the
 * profile in it.
 */
export async function renderProfile(
  report: ProfileReport,
  format: ProfileFormat,
): Promise<string | Uint8Array> {
  if (format === 'json') return `${JSON.stringify(report)}\n`
  if (report.heap) return renderHeap(report, report.heap, format)
  if (format === 'cpuprofile') return JSON.stringify(report.cpuProfile.profile)
  const { CpuProfile, mergeThreadProfiles } = await import('@nexus/profiler')
  const { samplingIntervalUs } = report.cpuProfile
  const cpu = new CpuProfile(mergeThreadProfiles(threadProfiles(report)), {
    startedMs: Date.parse(report.startedAt),
    durationMs: report.durationMs,
    samplingInterval: samplingIntervalUs,
  })
  return format === 'pb.gz' ? cpu.toPprof() : cpu.toFlameGraph(`Nexus, ${report.startedAt}`)
}

async function renderHeap(
  { startedAt, durationMs }: ProfileReport,
  { heapProfile: { samplingIntervalBytes, profile } }: NonNullable<ProfileReport['heap']>,
  format: ProfileFormat,
): Promise<string | Uint8Array> {
  if (format === 'heapprofile') return JSON.stringify(profile)
  const { HeapProfile } = await import('@nexus/profiler')
  const heap = new HeapProfile(profile as ConstructorParameters<typeof HeapProfile>[0], {
    startedMs: Date.parse(startedAt),
    durationMs,
    samplingInterval: samplingIntervalBytes,
  })
  return format === 'pb.gz' ? heap.toPprof() : heap.toFlameGraph(`Nexus, memory, ${startedAt}`)
}
