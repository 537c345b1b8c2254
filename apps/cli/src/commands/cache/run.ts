import type { NexusClient } from '@nexus/client'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt } from '../../server/failure.js'
import { counted } from '../../terminal/counted.js'
import { print } from '../../terminal/output.js'
import { type Style, styleOf, toJson } from '../../terminal/terminal.js'
import { describeCache, formatBytes } from './cache-text.js'
import { cache } from './command.js'

/** `nexus cache`, `nexus cache clear`, `nexus cache prune` and `nexus cache warm` */
export const runCache = runs(cache, async ({ values, given, operands: [action = 'stats'] }) => {
  const isPruning = action === 'prune'
  if (!isPruning && (given.has('max-bytes') || given.has('unused-for'))) {
    throw new UsageError('--max-bytes and --unused-for are for prune')
  }
  const { 'max-bytes': maxBytes, 'unused-for': unusedForSeconds } = values
  const query = {
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(unusedForSeconds === undefined ? {} : { unusedForSeconds }),
  }
  const client = connect(values.url)
  const { answer, text } = await answerTo(action, client, query, styleOf(process.stdout))
  print(values.json ? `${toJson(answer, 2)}\n` : text)
})

async function answerTo(
  action: string,
  client: NexusClient,
  query: { maxBytes?: number; unusedForSeconds?: number },
  style: Style,
): Promise<{ answer: object; text: string }> {
  const ask = <T>(what: string, asked: Promise<T>) => attempt(what, client.url, asked)
  switch (action) {
    case 'stats': {
      const report = await ask('fetch the cache', client.cache())
      return { answer: report, text: describeCache(report, style) }
    }
    case 'clear': {
      const receipt = await ask('clear the cache', client.clearCache())
      const { memory, disk } = receipt.removed
      const text = `Removed ${counted(memory, 'entry', 'entries')} from memory and ${counted(disk, 'entry', 'entries')} from the disk. Functions that run go on.\n`
      return { answer: receipt, text }
    }
    case 'prune': {
      const receipt = await ask('prune the cache', client.pruneCache(query))
      const { removed } = receipt
      const text = `Removed ${counted(removed.entries, 'entry', 'entries')} from the disk, ${formatBytes(removed.bytes)}.\n`
      return { answer: receipt, text }
    }
    case 'warm': {
      const receipt = await ask('warm the cache', client.warmCache())
      const { functions } = receipt
      const text = `Compiled ${counted(functions, 'function')} into the cache.\n`
      return { answer: receipt, text }
    }
    default:
      throw new UsageError(cache.operands?.expected ?? '')
  }
}
