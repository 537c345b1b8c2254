import type { Handler } from '@nexus/executor'
import type { OrderTotalled } from './order.js'

/** Writes the receipt of an order that was totalled. */
const orderReceipt: Handler<{ data: OrderTotalled }> = ({ data: { id, customer, total } }, ctx) => {
  const receipt = `Thank you, ${customer}! Order ${id} comes to ${total.toFixed(2)}.`
  ctx.log.info(receipt)
  return { receipt }
}

export default orderReceipt
