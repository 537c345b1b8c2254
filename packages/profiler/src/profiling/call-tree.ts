import type { HeapProfiler, Profiler } from 'node:inspector'

/** A function as the profile saw it. */
export interface Frame {
  /** Name of the function. */
  name: string
  /** Address of its file; empty for what is built in. */
  url: string
  /** Counted from 1; 0 where there is none. */
  line: number
  /** Counted from 1; 0 where there is none. */
  column: number
}

/** A function in one place of the call tree. */
export interface CallNode {
  /** The function. */
  frame: Frame
  /** What was measured in the function itself. */
  self: number
  /** With what it called. */
  total: number
  /** The functions that it called. */
  children: CallNode[]
}

/** A function in all its places. */
export interface FunctionCost extends Frame {
  /** What was measured in the function itself. */
  self: number
  /** With what it called. */
  total: number
  /** Share of everything measured, 0 to 1. */
  selfShare: number
}

/** The process waited: this is no cost of any function. */
const IDLE = '(idle)'

/** Where the time of a CPU profile went, in microseconds, without the time the process was idle. */
export function cpuCallTree({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): CallNode {
  const selfUs = new Map<number, number>()
  samples.forEach((id, i) => {
    // A delta is the time before its sample; the clock of V8 may go back by a little.
    selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0))
  })
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const build = (node: Profiler.ProfileNode): CallNode => {
    const idle = node.callFrame.functionName === IDLE
    const children = (node.children ?? []).map((id) => build(byId.get(id)!))
    return withTotal(frameOf(node.callFrame), idle ? 0 : (selfUs.get(node.id) ?? 0), children)
  }
  return build(nodes[0]!)
}

/** Where the live memory of a heap profile was allocated, in bytes. */
export function heapCallTree({ head }: HeapProfiler.SamplingHeapProfile): CallNode {
  const build = (node: HeapProfiler.SamplingHeapProfileNode): CallNode =>
    withTotal(frameOf(node.callFrame), node.selfSize, node.children.map(build))
  return build(head)
}

/** The functions that cost most by themselves. */
export function topFunctions(root: CallNode, limit: number): FunctionCost[] {
  const costs = new Map<string, FunctionCost>()
  const visit = (node: CallNode, above: ReadonlySet<string>) => {
    const { frame, self, total } = node
    const key = `${frame.name}\n${frame.url}\n${frame.line}\n${frame.column}`
    const cost = costs.get(key) ?? { ...frame, self: 0, total: 0, selfShare: 0 }
    cost.self += self
    // In a recursion the total of the outermost call has those of the inner ones in it.
    if (!above.has(key)) cost.total += total
    costs.set(key, cost)
    const below = new Set(above).add(key)
    for (const child of node.children) visit(child, below)
  }
  visit(root, new Set())
  return [...costs.values()]
    .filter(({ self }) => self > 0)
    .sort((a, b) => b.self - a.self)
    .slice(0, limit)
    .map((cost) => ({ ...cost, selfShare: cost.self / root.total }))
}

/** `name file:line`, with the file's name only. */
export function describeFrame({ name, url, line }: Frame): string {
  const file = url.slice(url.lastIndexOf('/') + 1)
  return file ? `${name} ${file}:${line}` : name
}

function withTotal(frame: Frame, self: number, children: CallNode[]): CallNode {
  const total = children.reduce((sum, child) => sum + child.total, self)
  return { frame, self, total, children: children.filter((child) => child.total > 0) }
}

function frameOf(callFrame: Profiler.ProfileNode['callFrame']): Frame {
  return {
    name: callFrame.functionName || '(anonymous)',
    url: callFrame.url,
    line: callFrame.lineNumber + 1,
    column: callFrame.columnNumber + 1,
  }
}
