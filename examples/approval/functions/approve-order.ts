import type { Handler } from '@nexus/executor'

interface Order {
  id: string
  total: number
}

interface Decision {
  approved: boolean
  by: string
}

/** Orders above this wait for a person. */
const LIMIT = 500
const THREE_DAYS_MS = 3 * 86_400_000

/** Approves an order: a small one at once, a large one when a person says so. */
const approveOrder: Handler<{ data: Order }> = async ({ data: order }, ctx) => {
  if (order.total <= LIMIT) return approve(order, 'the limit')
  await ctx.emit('com.nexus.order.waiting', { id: order.id, total: order.total })
  try {
    const asked = { id: order.id, total: order.total }
    const decision = await ctx.suspend('approval', asked, { timeoutMs: THREE_DAYS_MS })
    const { approved, by } = decision as Decision
    return approved ? approve(order, by) : { id: order.id, approved: false, by }
  } catch (error) {
    // Its time is over, or it was cancelled.
    return { id: order.id, approved: false, by: (error as { code?: string }).code ?? 'an error' }
  }

  async function approve({ id }: Order, by: string) {
    await ctx.emit('com.nexus.order.approved', { id, by })
    return { id, approved: true, by }
  }
}

export default approveOrder
