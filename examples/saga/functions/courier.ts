import type { Handler } from '@nexus/executor'

/** Stands for a service that answers later, by an event. */
const courier: Handler<{ data: { order: string; address: string } }> = async ({ data }, ctx) => {
  const isBooked = data.address !== 'the moon'
  await ctx.emit('com.nexus.courier.answered', { order: data.order, isBooked })
}

export default courier
