import { EventBus, localStore } from '@nexus/event-bus'

/** Publishes until the store has no more room, then says what was acked and what the log has. */
async function main(): Promise<void> {
  const bus = await EventBus.open({
    store: localStore({ path: process.env.FULL_DISK! }),
    publisher: { retry: { baseDelayMs: 1 } },
  })
  const acked: string[] = []
  const codes = new Set<string>()
  for (let n = 0; n < 60; n++) {
    const id = `e${n}`
    try {
      await bus.publish({ type: 'a', id, data: 'x'.repeat(100_000) })
      acked.push(id)
    } catch (error) {
      codes.add((error as { code: string }).code)
    }
  }
  const { total } = await bus.list({ limit: 1 })
  await bus.close()
  process.stdout.write(JSON.stringify({ acked: acked.length, total, codes: [...codes] }))
}

void main()
