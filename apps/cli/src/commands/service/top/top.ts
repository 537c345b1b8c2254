import { setTimeout as pause } from 'node:timers/promises'
import type { ServiceStatus } from '@nexus/process-manager'
import { metricsOf } from '@nexus/process-manager/status'
import { runs } from '../../../command-line/parse.js'
import { drawScreen, print } from '../../../terminal/output.js'
import { printable, type Style, styleOf, toJson } from '../../../terminal/terminal.js'
import { service } from '../command.js'
import { listServices } from '../engine/engine.js'
import { select } from '../outcome.js'
import { targetOf } from '../target.js'
import { plot } from './plot.js'

/** What a service used, the newest reading last. */
interface Course {
  name: string
  state: string
  cpuPercent: number[]
  memoryMb: number[]
}

const keptReadings = 200
const nameWidth = 16
const figureWidth = 9

/** `nexus service top`: a screen that is drawn over on a terminal, a block for each reading in a pipe. */
export const runTop = runs(service.commands.top, async (invocation) => {
  const { kind, names, json } = targetOf(invocation)
  const { interval, count = Number.POSITIVE_INFINITY } = invocation.values
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0))
  const courses = new Map<string, Course>()
  for (let reading = 1; ; reading++) {
    const services = select(await listServices(kind), names)
    const shown = services.map((status) => record(courses, status))
    if (json) print(`${toJson(newest(shown))}\n`)
    else if (process.stdout.isTTY) drawScreen(describeTop(shown, styleOf(process.stdout), clock()))
    else print(`${describeTop(shown, styleOf(process.stdout), clock())}\n`)
    if (reading >= count || services.length === 0) return
    await pause(1000 * interval)
  }
})

function record(courses: Map<string, Course>, status: ServiceStatus): Course {
  const { name, state } = status
  const course = courses.get(name) ?? { name, state, cpuPercent: [], memoryMb: [] }
  const { cpuPercent, memoryBytes } = metricsOf(status)
  course.state = state
  course.cpuPercent = [...course.cpuPercent, cpuPercent].slice(-keptReadings)
  course.memoryMb = [...course.memoryMb, memoryBytes / 2 ** 20].slice(-keptReadings)
  courses.set(name, course)
  return course
}

function newest(courses: readonly Course[]) {
  const services = courses.map(({ name, state, cpuPercent, memoryMb }) => ({
    name,
    state,
    cpuPercent: cpuPercent.at(-1),
    memoryMb: memoryMb.at(-1),
  }))
  return { time: new Date().toISOString(), services }
}

/** Two lines for each service: what it uses now, and beside it the course of that as wide as there is room. */
export function describeTop(courses: readonly Course[], style: Style, time: string): string {
  const width = Math.min(80, style.width)
  const plotWidth = Math.max(4, width - nameWidth - figureWidth - 2)
  const lines = courses.flatMap(({ name, state, cpuPercent, memoryMb }) => [
    `${fit(printable(name), nameWidth)} ${figure(cpuPercent, '%')} ${plot(cpuPercent, plotWidth)}`,
    `${fit(printable(state), nameWidth)} ${figure(memoryMb, 'MB')} ${plot(memoryMb, plotWidth)}`,
  ])
  const empty = courses.length === 0 ? ['No services'] : []
  return `${[style.dim(`CPU and memory at ${time}`), ...empty, ...lines].join('\n')}\n`
}

function figure(values: readonly number[], unit: string): string {
  return `${(values.at(-1) ?? 0).toFixed(1)} ${unit}`.padStart(figureWidth)
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}
