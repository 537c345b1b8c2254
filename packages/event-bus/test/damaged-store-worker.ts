import { EventBus, inspectLocalStore, localStore, recoverLocalStore } from '@nexus/event-bus'

/** What became of a damaged store. */
export interface DamageReport {
  /** Events that a reader or a handler got, as `id data`. */
  events: string[]
  /** Why it could not be used. */
  failure?: { code?: string; text: string }
  problem?: string
  recoverable: number
  /** Events of the new store. */
  recovered: string[]
}

process.on('message', (path: string) => {
  void examine(path).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ thrown: String(error) }),
  )
})

/** Inspects a store, uses it, and recovers what can be had. */
async function examine(path: string): Promise<DamageReport> {
  const { problem, recoverableEvents } = await inspectLocalStore(path)
  const events: string[] = []
  const failure = await use(path, events).then(
    () => undefined,
    (error: { code?: string }) => error,
  )
  const to = `${path}-new`
  const recovery = await recoverLocalStore({ from: path, to })
  const recovered: string[] = []
  await use(to, recovered)
  return {
    events,
    recovered: [...new Set(recovered)],
    // The event that was published here meanwhile is one more.
    recoverable: recovery.events >= recoverableEvents ? recoverableEvents : -1,
    ...(problem !== undefined && { problem }),
    ...(failure !== undefined && {
      failure: { ...(failure.code && { code: failure.code }), text: String(failure) },
    }),
  }
}

/** Lists, reads, handles and publishes; the first failure ends it. */
async function use(path: string, events: string[]): Promise<void> {
  const bus = await EventBus.open({ store: localStore({ path }) })
  const note = ({ id, data }: { id: string; data?: unknown }): void => {
    if (id !== 'new') events.push(`${id} ${String(data)}`)
  }
  try {
    const failed = new Promise<never>((_, reject) => bus.on('error', reject))
    failed.catch(() => {})
    const { events: all } = await bus.list({ limit: 1_000, order: 'asc', maxPageBytes: 1e9 })
    for (const { event } of all) note(event)
    for (const { event } of (await bus.list({ limit: 1_000, type: 'a' })).events) note(event)
    for (let n = 0; n < 60; n += 5) {
      const found = await bus.get(`e${n}`)
      if (found !== undefined && found.event.id !== `e${n}`) events.push(`e${n} is another event`)
      if (found !== undefined) note(found.event)
    }
    for (const { event } of (await bus.deadLetters.list()).deadLetters) note(event)
    const done = new Promise<void>((resolve) => {
      bus.subscribe(
        '>',
        ({ event }) => {
          note(event)
          if (event.id === 'new') resolve()
        },
        { group: 'reader', start: 'beginning', concurrency: 1 },
      )
    })
    await bus.publish({ type: 'new', id: 'new' })
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('the event was never handled')), 10_000).unref()
    })
    late.catch(() => {})
    await Promise.race([done, failed, late])
    await bus.getStats()
  } finally {
    await bus.close({ drainTimeoutMs: 100 })
  }
}
