import type { ServiceLogLine } from '@nexus/process-manager'
import { parseCount, UsageError } from '../arguments.js'
import { printNow, stdoutStyle } from '../print-now.js'
import { printable, type Style, toJson } from '../terminal.js'
import { parseServiceArguments } from './arguments.js'
import { withEngine } from './engine.js'
import { forEach, select } from './outcome.js'

const mostLines = 100_000

/** `nexus service logs` */
export async function logs(args: readonly string[]): Promise<void> {
  const {
    values,
    names,
    engine: kind,
    json,
  } = parseServiceArguments(args, {
    follow: { type: 'boolean', short: 'f' },
    lines: { type: 'string' },
    filter: { type: 'string' },
  })
  if (names.length === 0) throw new UsageError('expected the names of services, or all')
  const lines = parseCount('--lines', values.lines ?? '100', 0, mostLines)
  const filter = parseFilter(values.filter)
  const style = stdoutStyle()
  const show = (line: ServiceLogLine) => {
    if (!filter.test(line.text)) return
    printNow(json ? `${toJson(line)}\n` : describe(line, style))
  }
  await withEngine(kind, async (engine) => {
    const services = select(await engine.list(), names)
    if (values.follow) {
      const { signal } = stopSignal()
      await forEach(services, async (name) => {
        for await (const line of engine.logs(name, { lines, follow: true, signal })) show(line)
      })
      return
    }
    const found = await forEach(services, (name) => collect(engine.logs(name, { lines })))
    const inOrder = found.flat().sort((a, b) => a.time - b.time)
    for (const line of inOrder.slice(Math.max(0, inOrder.length - lines))) show(line)
  })
}

async function collect(lines: AsyncIterable<ServiceLogLine>): Promise<ServiceLogLine[]> {
  const found: ServiceLogLine[] = []
  for await (const line of lines) found.push(line)
  return found
}

function parseFilter(text: string | undefined): RegExp {
  try {
    return new RegExp(text ?? '', 'u')
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

function describe({ time, name, instance, stream, text }: ServiceLogLine, style: Style): string {
  const from = style.dim(`${new Date(time).toISOString()} ${printable(name)}#${instance}`)
  const shown = printable(text)
  return `${from} ${stream === 'stderr' ? style.warn(shown) : shown}\n`
}

/** Aborts at the first SIGINT or SIGTERM. */
function stopSignal(): AbortController {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  return stop
}
