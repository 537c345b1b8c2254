import type { Handler } from '@nexus/executor'

interface Cart {
  id: string
  email: string
  /** RFC 3339; tomorrow where it is absent. */
  remindAt?: string
}

const DAY_MS = 86_400_000

/** Reminds of a cart that was left, unless its order comes first. */
const remind: Handler<{ data: Cart }> = async ({ data: cart }, ctx) => {
  const at = new Date(cart.remindAt ?? Date.now() + DAY_MS)
  const order = ctx.waitFor('com.nexus.order.created', { match: { 'data.cart': cart.id } })
  const isOrdered = await Promise.race([order.then(() => true), ctx.sleep(at).then(() => false)])
  if (!isOrdered) {
    await ctx.emit('com.nexus.cart.reminder', { cart: cart.id, email: cart.email })
  }
  return { cart: cart.id, reminded: !isOrdered }
}

export default remind
