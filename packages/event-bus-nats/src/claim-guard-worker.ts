import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type GuardedConsumer, guardClaims } from '@nexus/event-bus/claim-guard'
import { type ConnectionOptions, openConnection } from './connection/open-connection.js'
import { Lease, type LeaseAddresses } from './group/order/lease.js'

/** A group's consumer as the guard knows it; its claims are the reply subjects of their messages. */
export interface GuardedNatsConsumer extends GuardedConsumer {
  /** The lease of an ordered group's one consumer. */
  lease?: { addresses: LeaseAddresses; owner: string }
}

guardClaims<GuardedNatsConsumer, ConnectionOptions>((options) => {
  const connect = async () => {
    const connection = await openConnection(options)
    const timeout = options.requestTimeoutMs
    const client = jetstream(connection, { timeout })
    return { connection, client, manager: await jetstreamManager(connection, { timeout }) }
  }
  let connecting: ReturnType<typeof connect> | undefined
  return async ({ lease }, claims) => {
    connecting ??= connect()
    const { connection, client, manager } = await connecting.catch((error: unknown) => {
      connecting = undefined
      throw error
    })
    for (const claim of claims) connection.publish(claim, '+WPI')
    if (lease === undefined) return
    await new Lease(client, manager, lease.addresses, lease.owner).renew()
  }
})
