import type { GroupStats } from '../../store/store-stats.js'
import type { LogEngine, LogHead } from '../log-engine.js'
import type { GroupOf } from './deliveries-of.js'
import { LAST_STRING } from './value-index.js'

/** How far each group is, open or not. */
export function groupStats(engine: LogEngine, head: LogHead, groupOf: GroupOf): GroupStats[] {
  const groups: GroupStats[] = []
  for (const { key: name, value } of engine.range('groups', { start: '', end: LAST_STRING })) {
    const deadLettered = engine.count('dead', {
      start: [name, 0],
      end: [name, Number.MAX_SAFE_INTEGER],
    })
    const scheduled = engine.count('due', {
      start: [name, 0, 0],
      end: [name, Number.MAX_SAFE_INTEGER, 0],
    })
    groups.push(
      groupOf(name)?.stats(deadLettered, scheduled) ?? {
        group: name,
        patterns: value.patterns,
        running: 0,
        scheduled,
        deadLettered,
        behind: head.last - value.floor,
      },
    )
  }
  return groups
}
