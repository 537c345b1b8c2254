import type { CachedEntry, CacheReport, CacheTierReport } from '@nexus/client'
import { type Column, table } from '../../terminal/table.js'
import { printable, type Style } from '../../terminal/terminal.js'

/** Entries that are shown; `--json` has all that the server lists. */
const SHOWN_ENTRIES = 10

interface Tier extends CacheTierReport {
  name: string
}

const number = (value: number | null) => (value === null ? '-' : value.toLocaleString('en-US'))

const tierColumns: Column<Tier>[] = [
  { title: 'Cache', value: ({ name }) => printable(name) },
  { title: 'Entries', align: 'right', value: ({ entries }) => number(entries) },
  { title: 'Size', align: 'right', value: ({ bytes }) => size(bytes) },
  { title: 'Limit', align: 'right', value: ({ maxBytes }) => size(maxBytes) },
  { title: 'Hits', align: 'right', value: ({ hits }) => number(hits) },
  { title: 'Misses', align: 'right', value: ({ misses }) => number(misses) },
  { title: 'Evicted', align: 'right', value: ({ evictions }) => number(evictions) },
]

const entryColumns: Column<CachedEntry>[] = [
  {
    title: 'In memory',
    value: ({ kind, name }) => printable(`${name}${kind === 'module' ? ' (wasm)' : ''}`),
  },
  { title: 'Size', align: 'right', value: ({ bytes }) => formatBytes(bytes) },
  { title: 'Used', align: 'right', value: ({ accessCount }) => `${number(accessCount)} ×` },
  { title: 'Last used', value: ({ lastAccessedAt }) => printable(lastAccessedAt.slice(0, 19)) },
]

/** What the caches hold and did, for people. */
export function describeCache(
  { handlers, modules, entries, hitRatePercent }: CacheReport,
  style: Style,
): string {
  const tiers: Tier[] = [
    ...handlers.tiers.map((tier) => ({ ...tier, name: `handlers, ${tier.tier}` })),
    { ...modules, name: 'WASM modules' },
  ]
  const rate =
    hitRatePercent === null
      ? 'no look-ups yet'
      : `${hitRatePercent.toFixed(1)} % of the look-ups were answered`
  const { compiled, failed } = handlers
  const more = entries.length - SHOWN_ENTRIES
  return [
    table(tierColumns, tiers, style),
    `\n${rate}, ${number(compiled)} compiled, ${number(failed)} failed\n`,
    ...(entries.length > 0
      ? [`\n${table(entryColumns, entries.slice(0, SHOWN_ENTRIES), style)}`]
      : []),
    ...(more > 0 ? [style.dim(`and ${number(more)} more; --json lists them\n`)] : []),
  ].join('')
}

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** at
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`
}

function size(bytes: number | null): string {
  return bytes === null ? '-' : formatBytes(bytes)
}
