import {
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { LEASE_MS } from './nats-lease.js'
import type { NatsNames } from './nats-names.js'
import type { ResolvedNatsStoreOptions } from './nats-store-options.js'

const STREAM_DIFFERS = 10058

/**
 * Makes the streams of a bus that are not there yet; answers whether the one of events takes atomic batches.
 */
export async function addStreams(
  manager: JetStreamManager,
  names: NatsNames,
  { prefix, replicas, duplicateWindowMs }: ResolvedNatsStoreOptions,
): Promise<boolean> {
  const shared = { storage: StorageType.File, num_replicas: replicas, allow_direct: true }
  const streams = [
    {
      name: names.events,
      subjects: [`${prefix}.event.>`],
      duplicate_window: nanos(duplicateWindowMs),
      // Servers before 2.12 do not know it, and leave it out of their answer.
      allow_atomic: true,
    },
    { name: names.state, subjects: names.stateSubjects(), max_msgs_per_subject: 1 },
    {
      name: names.again,
      subjects: [`${prefix}.again.>`],
      retention: RetentionPolicy.Workqueue,
    },
    {
      name: names.lease,
      subjects: [`${prefix}.lease.>`],
      max_msgs_per_subject: 1,
      max_age: nanos(LEASE_MS),
      duplicate_window: nanos(LEASE_MS),
    },
  ]
  let atomic = false
  for (const stream of streams) {
    const { config } = await addStream(manager, { ...shared, ...stream })
    if (stream.name === names.events) atomic = config.allow_atomic === true
  }
  return atomic
}

/** A stream made before its server was replaced by a newer one learns what that can do. */
async function addStream(
  { streams }: JetStreamManager,
  wanted: Partial<StreamConfig> & { name: string },
): Promise<StreamInfo> {
  try {
    return await streams.add(wanted)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_DIFFERS) throw error
    const { config } = await streams.info(wanted.name)
    if (wanted.allow_atomic !== true || config.allow_atomic === true) throw error
    const learnt: Partial<StreamConfig> = { allow_atomic: true }
    await streams.update(wanted.name, learnt)
    return streams.add(wanted)
  }
}
