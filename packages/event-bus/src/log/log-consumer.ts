import type { Claim, GroupConsumer } from '../store/event-store.js'
import type { LogGroup } from './log-group.js'

/** The consumer a subscription holds. */
export function consumerOf(group: LogGroup, onClose: () => void): GroupConsumer {
  group.consumers += 1
  const claimed = new Set<Claim>()
  let closed = false
  return {
    async fetch(limit, signal) {
      const claims = await group.fetch(limit, signal)
      for (const claim of claims) claimed.add(claim)
      return claims
    },
    async settle(claim, settlement) {
      const emitted = await group.settle(claim, settlement)
      claimed.delete(claim)
      return emitted
    },
    // The directory's lock is the claim: it goes with the process, so nothing has to be extended.
    extend() {},
    async close() {
      if (closed) return
      closed = true
      for (const claim of claimed) await group.settle(claim, { kind: 'release' })
      group.leave()
      onClose()
    },
  }
}
