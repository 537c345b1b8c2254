import type { JetStreamManager } from '@nats-io/jetstream'

/**
 * Name of a consumer in a stream that was made at this time. Sequences begin again with a stream that is made again: an ack
 * of what the old one handed out, which comes late, must not reach the consumer of the new one.
 *
 * @param name a group, or `parkedConsumer` of one; no group has a name with `=`
 */
export function consumerName(name: string, created: string): string {
  return `${name}=${Date.parse(created).toString(36)}`
}

/** Name of a consumer in a stream as it is now. */
export async function consumerNameIn(
  { streams }: JetStreamManager,
  stream: string,
  name: string,
): Promise<string> {
  return consumerName(name, (await streams.info(stream)).created)
}
