import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { type FunctionDefinition, FunctionHost, type FunctionHostOptions } from '@nexus/functions'
import { onTestFinished } from 'vitest'

/** A host with a bus in memory that runs these functions until the test ends. */
export async function openHost(
  definitions: readonly FunctionDefinition[],
  options: Partial<FunctionHostOptions> = {},
) {
  const bus = await EventBus.open({ store: memoryStore() })
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  const host = new FunctionHost({ bus, runtime, ...options })
  onTestFinished(async () => {
    await host.close()
    await bus.close()
    await runtime.shutdown()
  })
  await host.bind(definitions)
  return { bus, runtime, host }
}
