import { HandlerCompiler } from '@nexus/compile-cache'
import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost } from '@nexus/functions'
import { describe, expect, it } from 'vitest'

const code = 'export default () => 1'

/** What is open, how it is used, and with which code a use is refused once it is closed. */
const OPENED = {
  WasmRuntime: async () => {
    const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
    const use = () => runtime.executeHandler(code, { event: null })
    return { open: runtime, use, code: 'SHUT_DOWN' }
  },
  HandlerCompiler: async () => {
    const compiler = new HandlerCompiler({ cacheDir: false })
    return { open: compiler, use: () => compiler.compile(code), code: 'CLOSED' }
  },
  EventBus: async () => {
    const bus = await EventBus.open({ store: memoryStore() })
    return { open: bus, use: () => bus.publish({ type: 'a.b' }), code: 'CLOSED' }
  },
  FunctionHost: async () => {
    const bus = await EventBus.open({ store: memoryStore() })
    const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
    const host = new FunctionHost({ bus, runtime })
    return { open: host, use: () => host.bind([]), code: 'CLOSED' }
  },
}

describe.each(Object.entries(OPENED))('%s', (_, make) => {
  it.each(['close', 'shutdown', Symbol.asyncDispose] as const)(
    'is closed by %s, and again',
    async (method) => {
      const { open, use, code } = await make()
      await use()
      await open[method]()
      await expect((async () => use())()).rejects.toMatchObject({ code })
      for (const other of ['close', 'shutdown', Symbol.asyncDispose] as const) await open[other]()
    },
  )
})
