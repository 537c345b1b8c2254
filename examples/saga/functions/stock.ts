import type { Handler } from '@nexus/executor'

/** Stands for the service that keeps the stock: what it does is an event. */
const stock: Handler<{ data: { action: string; order: string } }> = async ({ data }, ctx) => {
  await ctx.emit(`com.nexus.stock.${data.action}`, { order: data.order })
}

export default stock
