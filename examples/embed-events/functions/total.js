export default async (event, ctx) => {
  const total = event.data.prices.reduce((sum, price) => sum + price, 0)
  await ctx.emit('order.totalled', { total })
  return { total }
}
