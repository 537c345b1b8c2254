import { type HandlerImage, type QuickJSInstance, QuickJSTemplate } from '@nexus/instance-pool'
import { bytecodeOf } from './bytecode.js'

export const MiB = 1024 * 1024

const prelude = `(host) => {
  const { parse, stringify } = JSON
  let handler
  globalThis.host = host
  return {
    load(namespace) { handler = namespace.default },
    run(json) { return stringify(handler(parse(json))) },
  }
}`

/** A template with the smallest prelude that can call a handler, and what the tests do with it. */
export async function openSandbox(heapBytes = MiB) {
  const template = await QuickJSTemplate.create({
    prelude,
    entries: ['load', 'run'],
    heapBytes,
    maxStackBytes: 256 * 1024,
  })

  async function load(source: string): Promise<HandlerImage> {
    const instance = await template.instantiate()
    instance.begin(Number.POSITIVE_INFINITY, 64 * MiB, () => 0)
    const evaluation = instance.evalBytecode(await bytecodeOf(source))
    instance.drainJobs()
    const namespace = instance.promiseResult(evaluation)
    instance.free(instance.call(template.entries.load, namespace))
    instance.free(namespace)
    instance.free(evaluation)
    instance.end()
    instance.collectGarbage()
    const image = template.capture(instance)
    instance.dispose()
    if (!image) throw new Error('Loading grew the memory')
    return image
  }

  /** Calls the handler without rewinding afterwards. */
  function call(
    instance: QuickJSInstance,
    event: unknown,
    limits = { memory: 64 * MiB, ms: 10_000 },
  ) {
    instance.begin(performance.now() + limits.ms, limits.memory, () => 0)
    const input = instance.newString(JSON.stringify(event))
    const result = instance.call(template.entries.run, input)
    instance.end()
    if (instance.isException(result)) {
      instance.free(instance.takeException())
      return { threw: true as const }
    }
    const text = instance.readString(result)
    return { value: text === undefined ? undefined : (JSON.parse(text) as unknown) }
  }

  return { template, load, call }
}
