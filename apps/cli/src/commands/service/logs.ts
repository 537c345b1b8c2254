import type { ServiceLogLine } from '@nexus/process-manager'
import { runs } from '../../command-line/parse.js'
import { printNow, stdoutStyle } from '../../terminal/print-now.js'
import { printable, type Style, toJson } from '../../terminal/terminal.js'
import { service } from './command.js'
import { withEngine } from './engine/engine.js'
import { forEach, select } from './outcome.js'
import { targetOf } from './target.js'

/** `nexus service logs` */
export const runLogs = runs(service.commands.logs, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const { follow, lines, filter } = invocation.values
  const style = stdoutStyle()
  const show = (line: ServiceLogLine) => {
    if (filter && !filter.test(line.text)) return
    printNow(json ? `${toJson(line)}\n` : describe(line, style))
  }
  await withEngine(kind, async (engine) => {
    const services = select(await engine.list(), names)
    if (follow) {
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
})

async function collect(lines: AsyncIterable<ServiceLogLine>): Promise<ServiceLogLine[]> {
  const found: ServiceLogLine[] = []
  for await (const line of lines) found.push(line)
  return found
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
