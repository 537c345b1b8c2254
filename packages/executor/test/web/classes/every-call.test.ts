import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { openRuntime } from '../../runtimes.js'
import { everyCall } from './every-call.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000, maxHostCalls: 1e6 })

/** Where the sandbox does otherwise, and why. */
const KNOWN: readonly [calls: RegExp, why: string][] = [
  [/^File#webkitRelativePath/, 'is of the standard, and Node has none'],
  [/^WritableStreamDefaultController#abortReason/, 'is of web-streams-polyfill'],
  [/^Request#attribute/, 'is a slip of undici'],
  [/^URL\.(create|revoke)ObjectURL/, 'is absent: a blob has no address'],
  [/^new MessageEvent\(/, 'takes a type and a dictionary in the standard: Node 20 checks neither'],
  [/^Response\.json\('x', null\)/, 'null is a dictionary of nothing in the standard'],
  [/^new (Count|ByteLength)QueuingStrategy\(/, 'null, functions and lists are dictionaries, too'],
  [/^new TransformStream\(null\)/, 'null is no transformer in the standard'],
  [/^Event#isTrusted get on another/, 'Node answers for every object'],
  [/^(Blob#bytes|AbortSignal#(throwIfAborted|reason)): shape/, 'Node 20 hides what it added late'],
]

// Newer versions of Node refuse some arguments with other codes.
describe.runIf(process.versions.node.startsWith('20.'))('every call of every class', () => {
  let inSandbox: Record<string, string> = {}
  let inNode: Record<string, string> = {}

  beforeAll(async () => {
    const file = fileURLToPath(new URL('every-call.ts', import.meta.url))
    const compiled = await runtime.precompileFile(file)
    const limits = { maxResultBytes: 2 ** 26, memoryLimitBytes: 2 ** 28 }
    const result = await runtime.executeCompiledHandler(compiled, { event: null }, limits)
    expect(result.error).toBeUndefined()
    inSandbox = result.value as Record<string, string>
    inNode = await everyCall()
  }, 60_000)

  it('has the outcome that it has in Node: the kind of value, or the name and the code of the error', () => {
    const calls = new Set([...Object.keys(inSandbox), ...Object.keys(inNode)])
    const differences = [...calls]
      .map((call) => ({ call, inNode: shown(call, inNode), inSandbox: shown(call, inSandbox) }))
      .filter((outcome) => outcome.inNode !== outcome.inSandbox)
      .filter(({ call }) => !KNOWN.some(([known]) => known.test(call)))
    expect(calls.size).toBeGreaterThan(5000)
    expect(differences).toEqual([])
  })

  it('differs from Node only where the list says so', () => {
    const unused = KNOWN.filter(([known]) => {
      const calls = Object.keys({ ...inSandbox, ...inNode }).filter((call) => known.test(call))
      return calls.every((call) => inNode[call] === inSandbox[call])
    })
    expect(unused).toEqual([])
  })
})

/** On an object of another class everything is a TypeError; only Node's own classes have a code for it. */
function shown(call: string, outcomes: Record<string, string>): string | undefined {
  const outcome = outcomes[call]
  if (!call.endsWith('on another')) return outcome
  return outcome?.replace(/^(?:rejects: )?(throws TypeError) \w+$/, '$1')
}
