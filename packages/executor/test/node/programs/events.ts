// biome-ignore-all lint/complexity/noCommaOperator: each case is one expression
// biome-ignore-all lint/suspicious/noThenProperty: a promise of another kind is what is tried
// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import EventEmitter, {
  EventEmitterAsyncResource,
  errorMonitor,
  getEventListeners,
  on,
  once,
} from 'node:events'
import os from 'node:os'
import process from 'node:process'
import timers from 'node:timers/promises'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
const storage = new AsyncLocalStorage<number>()
const later = (ms = 1) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const stores = async (depth: number): Promise<unknown[]> => {
  const seen: unknown[] = [storage.getStore()]
  await null
  seen.push(storage.getStore())
  await later()
  seen.push(storage.getStore())
  if (depth > 0) seen.push(...(await stores(depth - 1)))
  await new Promise<void>((resolve) =>
    process.nextTick(() => (seen.push(storage.getStore()), resolve())),
  )
  await new Promise<void>((resolve) =>
    setImmediate(() => (seen.push(storage.getStore()), resolve())),
  )
  queueMicrotask(() => seen.push(storage.getStore()))
  await { then: (resolve: (value: number) => void) => (seen.push(storage.getStore()), resolve(1)) }
  for await (const n of (async function* () {
    yield 1
    await later()
    yield storage.getStore()
  })())
    seen.push(n)
  try {
    await Promise.reject(new Error('x'))
  } catch {
    seen.push(storage.getStore())
  } finally {
    seen.push(storage.getStore())
  }
  return seen
}

export default () =>
  outcomes([
    () => {
      const e = new EventEmitter()
      const seen: unknown[] = []
      e.on('newListener', (name) => seen.push(['new', name]))
      e.on('removeListener', (name) => seen.push(['removed', name]))
      const a = (...args: unknown[]) => seen.push(['a', ...args])
      e.on('x', a)
        .prependListener('x', () => seen.push('first'))
        .once('x', () => seen.push('once'))
      seen.push(
        e.emit('x', 1, 2),
        e.emit('x', 3),
        e.emit('none'),
        e.listenerCount('x'),
        e.eventNames(),
        e.off('x', a).listenerCount('x'),
      )
      e.removeAllListeners()
      return seen
    },
    () => new EventEmitter().emit('error', new Error('unhandled')),
    () => new EventEmitter().emit('error', 'text'),
    () => new EventEmitter().on('x', any(5)),
    () => new EventEmitter().setMaxListeners(-1),
    () => new EventEmitter().getMaxListeners(),
    () => EventEmitter.defaultMaxListeners,
    () => {
      const e = new EventEmitter()
      const seen: unknown[] = []
      e.on(errorMonitor, (error) => seen.push(error.message))
      e.on('error', () => seen.push('handled'))
      e.emit('error', new Error('m'))
      return seen
    },
    async () => {
      const e = new EventEmitter()
      setTimeout(() => e.emit('x', 1, 2), 1)
      return once(e, 'x')
    },
    async () => {
      const e = new EventEmitter()
      setTimeout(() => e.emit('error', new Error('e')), 1)
      return once(e, 'x')
    },
    () => once(new EventEmitter(), 'x', { signal: AbortSignal.abort() }),
    async () => {
      const e = new EventEmitter()
      setTimeout(() => (e.emit('x', 1), e.emit('x', 2)), 1)
      const seen = []
      for await (const [n] of on(e, 'x')) {
        seen.push(n)
        if (n === 2) break
      }
      return [seen, e.listenerCount('x')]
    },
    async () => {
      const e = new EventEmitter({ captureRejections: true })
      e.on('x', async () => {
        throw new Error('captured')
      })
      e.emit('x')
      return await once(e, 'error').catch((error) => ['rejected', error.message])
    },
    () => {
      function Old(this: unknown) {
        EventEmitter.call(this as never)
      }
      Object.setPrototypeOf(Old.prototype, EventEmitter.prototype)
      let got = 0
      const old = new (Old as any)()
      old.on('x', (n: number) => {
        got = n
      })
      old.emit('x', 7)
      return [got, old instanceof EventEmitter]
    },
    () =>
      getEventListeners(
        new EventEmitter().on('x', () => 1),
        'x',
      ).length,
    () => new EventEmitter().rawListeners('x'),
    () => EventEmitter.EventEmitter === EventEmitter,
    () => new EventEmitterAsyncResource({ name: 'q' }).listenerCount('x'),
    () =>
      Promise.all([storage.run(1, () => stores(1)), storage.run(2, () => stores(0)), stores(0)]),
    () => storage.run(1, () => storage.exit(() => storage.getStore())),
    async () => {
      const e = new EventEmitter()
      const seen: unknown[] = []
      e.on('x', () => seen.push(storage.getStore()))
      storage.run(5, () => e.emit('x'))
      await storage.run(6, async () => {
        await later()
        e.emit('x')
      })
      return seen
    },
    () => storage.run(3, () => AsyncLocalStorage.bind(() => storage.getStore()))(),
    () => storage.run(4, () => AsyncLocalStorage.snapshot())(() => storage.getStore()),
    () => storage.run(8, () => new AsyncResource('R')).runInAsyncScope(() => storage.getStore()),
    () => new AsyncResource(any(5)),
    async () => {
      storage.enterWith(9)
      await later()
      return storage.getStore()
    },
    async () => {
      const order: string[] = []
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          Promise.resolve().then(() => order.push('promise'))
          queueMicrotask(() => order.push('microtask'))
          process.nextTick((name: string) => order.push(name), 'tick')
          setImmediate(() => (order.push('immediate'), resolve()))
          order.push('sync')
        }, 1)
      })
      return order
    },
    () => process.nextTick(any(5)),
    () => [
      typeof process.hrtime.bigint(),
      process.hrtime().length,
      process.hrtime([0, 0]).length,
      process.platform,
      process.argv.length > 0,
    ],
    () => process.version.startsWith('v') && process.versions.node.split('.').length,
    () => process.emitWarning.length > 0,
    () => [
      os.EOL,
      os.platform(),
      os.constants.signals.SIGTERM,
      os.constants.errno.ENOENT,
      os.devNull,
    ],
    () => timers.setTimeout(1, 'value'),
    () => timers.setImmediate('value'),
    () => timers.setTimeout(1000, 'v', { signal: AbortSignal.abort() }),
    async () => {
      const seen = []
      for await (const value of timers.setInterval(1, 'i')) {
        seen.push(value)
        if (seen.length === 2) break
      }
      return seen
    },
    () => {
      const seen: unknown[] = []
      const listener = (message: unknown, name: unknown) => seen.push([message, name])
      diagnostics.subscribe('c', listener)
      diagnostics.channel('c').publish({ a: 1 })
      seen.push(
        diagnostics.hasSubscribers('c'),
        diagnostics.unsubscribe('c', listener),
        diagnostics.hasSubscribers('c'),
      )
      return seen
    },
    () => new EventEmitter().emit('error', { code: 5, list: ['a'] }),
    () => new EventEmitter().emit('error', 'text'),
    () => new EventEmitter().emit('error'),
    () => new EventEmitter().emit('error', null),
    () => {
      const i = setImmediate(() => {})
      clearImmediate(i)
      return typeof i
    },
  ])
