import { open, unlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { describeThrown } from '@nexus/diagnostics'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { print, printError } from '../../terminal/output.js'
import { printable, toJson } from '../../terminal/terminal.js'
import { heapSnapshot } from './command.js'

/** `nexus heap-snapshot` */
export const runHeapSnapshot = runs(heapSnapshot, async ({ values }) => {
  const file = values.out ?? defaultName()
  if (!file.endsWith('.heapsnapshot')) {
    throw new UsageError(`--out: expected a file ending in .heapsnapshot, got "${file}"`)
  }
  const client = connect(values.url)
  // Before the server stops for it; a file that is there may be one that others can read.
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    throw cannotWrite(file, cause)
  })
  try {
    if (!values.json) {
      printError(
        `${client.url} stops while it looks through its memory, some seconds for each GB …\n`,
      )
    }
    const { pauseMs, body } = await attempt(
      'take a heap snapshot',
      client.url,
      client.heapSnapshot(),
    )
    const target = handle.createWriteStream()
    await pipeline(Readable.fromWeb(body as WebStream), target)
    const told = { file, bytes: target.bytesWritten, pauseMs }
    print(values.json ? `${toJson(told, 2)}\n` : text(told))
  } catch (cause) {
    await handle.close().catch(() => {})
    // Half of one is of no use, and holds secrets all the same.
    await unlink(file).catch(() => {})
    throw cause instanceof CommandError ? cause : cannotWrite(file, cause)
  }
})

function text({ file, bytes, pauseMs }: { file: string; bytes: number; pauseMs: number }): string {
  const size = (bytes / 1024 ** 2).toFixed(1)
  return `The server stopped for ${pauseMs} ms. Wrote ${printable(file)} (${size} MB).\nIt holds every secret of the server: open it in the developer tools of Chrome (Memory, Load), then delete it.\n`
}

function defaultName(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+Z$/g, '')
  return `nexus-${time}.heapsnapshot`
}

function cannotWrite(file: string, cause: unknown): CommandError {
  const message = `Cannot write ${file}: ${describeThrown(cause).message}`
  return new CommandError(
    message,
    'Name a file that is not there yet, in a directory that is, with --out',
    { cause },
  )
}
