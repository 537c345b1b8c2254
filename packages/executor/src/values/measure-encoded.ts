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
  const references: number[][] = []
  let steps = meter.steps
  for (const node of nodes) {
    if (typeof node !== 'object' || node === null) {
      references.push([])
      continue
    }
    const slots: unknown[] = Array.isArray(node) ? node : Object.values(node)
    steps += STEPS.node + slots.length * STEPS.slot + stepsOfContent(node)
    if (steps > maxSteps) return { verdict: 'large', steps }
    references.push(references.length === 0 ? referencesIn([slots]) : referencesIn(slots))
  }
  return { verdict: depthOf(references) > MAX_NESTING ? 'deep' : 'ok', steps }
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
 * How deep the longest way from the root goes, each reference followed once: what refers back to where it came from
 * leads no deeper.
 */
function depthOf(references: readonly (readonly number[])[]): number {
  const height = new Uint32Array(references.length)
  const state = new Uint8Array(references.length)
  const [OPEN, DONE] = [1, 2]
  const path: number[] = [0]
  const next: number[] = [0]
  state[0] = OPEN
  while (path.length > 0) {
    const at = path.length - 1
    const node = path[at]!
    const child = references[node]![next[at]!++]
    if (child === undefined) {
      state[node] = DONE
      path.pop()
      next.pop()
      if (at > 0) {
        const parent = path[at - 1]!
        height[parent] = Math.max(height[parent]!, height[node]! + 1)
      }
    } else if (state[child] === DONE) {
      height[node] = Math.max(height[node]!, height[child]! + 1)
    } else if (state[child] === 0) {
      state[child] = OPEN
      path.push(child)
      next.push(0)
    }
  }
  return height[0]!
}
