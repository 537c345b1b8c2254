import { JsonMeter, type JsonVerdict } from './json-meter.js'
import { MAX_NESTING, MAX_STEPS, STEPS } from './value-limits.js'

export interface Measured {
  /** `malformed` when the text is not what the value codec writes. */
  readonly verdict: JsonVerdict | 'malformed'
  /** What decoding the text costs the thread that does it. */
  readonly steps: number
}

/** One step reads this many characters of a number or of bytes. */
const CHARACTERS_PER_STEP = 64
/**
 * V8 does not seed the hashes of numbers and BigInts, and takes the lowest 64 bits of a BigInt for its hash: keys can be
 * chosen so that each is compared with all that came before. So many comparisons are one step.
 */
const COMPARISONS_PER_STEP = { number: 64, bigint: 16 }

/**
 * Reads the text of the value codec completely, on the sandbox's thread, and counts what decoding it will cost: linear in
 * the text, and never more than `maxSteps`.
 */
export function measureEncoded(text: string, maxSteps = MAX_STEPS): Measured {
  const meter = new JsonMeter(maxSteps)
  const verdict = meter.add(text)
  if (verdict !== 'ok' || text.startsWith('=')) return { verdict, steps: meter.steps }
  let nodes: unknown
  try {
    nodes = JSON.parse(text)
  } catch {
    return { verdict: 'malformed', steps: meter.steps }
  }
  if (!Array.isArray(nodes)) return { verdict: 'malformed', steps: meter.steps }
  const graph: GraphNode[] = []
  let steps = meter.steps
  for (const node of nodes) {
    if (typeof node !== 'object' || node === null) {
      graph.push({ references: [], steps: STEPS.value })
      continue
    }
    const slots: unknown[] = Array.isArray(node) ? node : Object.values(node)
    const content = slots.length * STEPS.slot + stepsOfContent(node)
    steps += STEPS.node + content
    if (steps > maxSteps) return { verdict: 'large', steps }
    graph.push({ references: referencesIn(graph.length === 0 ? [slots] : slots), steps: content })
  }
  const { height, unfolded } = measureGraph(graph)
  if (height > MAX_NESTING) return { verdict: 'deep', steps }
  return { verdict: unfolded > maxSteps ? 'large' : 'ok', steps }
}

/** One node of the codec's list. */
interface GraphNode {
  readonly references: readonly number[]
  /** What the node costs by itself. */
  readonly steps: number
}

function referencesIn(slots: readonly unknown[]): number[] {
  const found: number[] = []
  for (const slot of slots) {
    if (Array.isArray(slot) && typeof slot[0] === 'number') found.push(slot[0])
  }
  return found
}

/** What texts of bytes and digits cost, and what the keys of a Map or a Set may. */
function stepsOfContent(node: object): number {
  const slots: unknown[] = Array.isArray(node) ? node : Object.values(node)
  let steps = 0
  let numbers = 0
  let bigInts = 0
  const isMap = slots[0] === 'M'
  const isKeyed = Array.isArray(node) && (isMap || slots[0] === 'S')
  for (const [at, slot] of slots.entries()) {
    const [tag, digits] = Array.isArray(slot) ? slot : []
    if (typeof slot === 'string') steps += slot.length / CHARACTERS_PER_STEP
    if (typeof digits === 'string') steps += digits.length / CHARACTERS_PER_STEP
    if (!isKeyed || (isMap && at % 2 === 0)) continue
    if (tag === 'b') steps += ++bigInts / COMPARISONS_PER_STEP.bigint
    else if (typeof slot === 'number') steps += ++numbers / COMPARISONS_PER_STEP.number
  }
  return steps
}

/**
 * How deep the longest way from the root goes, and what the value costs when each shared part is written out wherever it
 * is referred to: a few nodes that refer to each other twice unfold into more than any `JSON.stringify` of a host function
 * can write. A reference back to a node on its own way leads no deeper and costs nothing more.
 */
function measureGraph(graph: readonly GraphNode[]): { height: number; unfolded: number } {
  const height = new Uint32Array(graph.length)
  const unfolded = Float64Array.from(graph, ({ steps }) => steps)
  const state = new Uint8Array(graph.length)
  const [OPEN, DONE] = [1, 2]
  const path: number[] = [0]
  const next: number[] = [0]
  const addChild = (parent: number, child: number) => {
    height[parent] = Math.max(height[parent]!, height[child]! + 1)
    unfolded[parent]! += unfolded[child]!
  }
  state[0] = OPEN
  while (path.length > 0) {
    const at = path.length - 1
    const node = path[at]!
    const child = graph[node]!.references[next[at]!++]
    if (child === undefined) {
      state[node] = DONE
      path.pop()
      next.pop()
      if (at > 0) addChild(path[at - 1]!, node)
    } else if (state[child] === DONE) {
      addChild(node, child)
    } else if (state[child] === 0) {
      state[child] = OPEN
      path.push(child)
      next.push(0)
    }
  }
  return { height: height[0]!, unfolded: unfolded[0]! }
}
