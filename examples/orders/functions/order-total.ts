import type { Handler } from '@nexus/executor'
import type { Order, OrderTotalled } from './order.js'

/** Totals an order and announces the total. */
const orderTotal: Handler<{ data: Order }> = async ({ data: order }, ctx) => {
  const total = order.items.reduce((sum, { quantity, price }) => sum + quantity * price, 0)
  const totalled: OrderTotalled = { id: order.id, customer: order.customer, total }
  ctx.log.info('totalled', { id: order.id, total })
  await ctx.emit('com.nexus.order.totalled', totalled)
  return { total }
}

export default orderTotal
