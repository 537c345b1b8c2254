import type { Handler } from '@nexus/executor'

interface Order {
  id: string
  total: number
  address: string
}

const TWO_DAYS_MS = 2 * 86_400_000

/** Places an order with three services; what was done is undone where one of them refuses. */
const placeOrder: Handler<{ data: Order }> = async ({ data: order }, ctx) => {
  const undo: (() => Promise<unknown>)[] = []
  let isPlaced = false
  try {
    await ctx.invoke('stock', { action: 'reserved', order: order.id })
    undo.push(() => ctx.invoke('stock', { action: 'released', order: order.id }))
    await ctx.invoke('payment', { action: 'charged', order: order.id, total: order.total })
    undo.push(() => ctx.invoke('payment', { action: 'refunded', order: order.id }))
    const match = { 'data.order': order.id }
    const answer = ctx.waitFor('com.nexus.courier.answered', { match, timeoutMs: TWO_DAYS_MS })
    await ctx.emit('com.nexus.courier.requested', { order: order.id, address: order.address })
    const { data } = (await answer) as { data: { isBooked: boolean } }
    if (!data.isBooked) throw new Error('no courier goes there')
    isPlaced = true
    return { order: order.id, isPlaced }
  } catch (error) {
    return { order: order.id, isPlaced, why: (error as Error).message }
  } finally {
    for (const step of isPlaced ? [] : undo.reverse()) await step()
  }
}

export default placeOrder
