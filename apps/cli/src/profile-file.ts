import type { ProfileReport } from '@nexus/client'

const endings = ['.html', '.cpuprofile', '.pb.gz', '.json'] as const

/** What a profile can be written as; the ending of a file name without its dot. */
export type ProfileFormat = 'html' | 'cpuprofile' | 'pb.gz' | 'json'

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
  if (format === 'cpuprofile') return JSON.stringify(report.cpuProfile.profile)
  const { CpuProfile } = await import('@nexus/profiler')
  const { profile, samplingIntervalUs } = report.cpuProfile
  const cpu = new CpuProfile(profile as ConstructorParameters<typeof CpuProfile>[0], {
    startedMs: Date.parse(report.startedAt),
    durationMs: report.durationMs,
    samplingInterval: samplingIntervalUs,
  })
  return format === 'pb.gz' ? cpu.toPprof() : cpu.toFlameGraph(`Nexus, ${report.startedAt}`)
}
