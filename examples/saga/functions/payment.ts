import type { Handler } from '@nexus/executor'

/** Stands for the service that takes the money: what it does is an event. */
const payment: Handler<{ data: { action: string; order: string; total?: number } }> = async (
  { data: { action, ...what } },
  ctx,
) => {
  if ((what.total ?? 0) > 1000) throw new Error('the card is declined')
  await ctx.emit(`com.nexus.payment.${action}`, what)
}

export default payment
