import {
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { EventBusError } from '@nexus/event-bus'
import { isFull } from '../connection/unavailable.js'
import { LEASE_MS } from '../group/order/lease.js'
import type { ResolvedNatsStoreOptions } from '../nats-store-options.js'
import type { Names } from './names.js'

const STREAM_DIFFERS = 10058

/** What only newer servers can do; others do not know the setting, and leave it out of their answer. */
const FEATURES = ['allow_atomic', 'allow_msg_schedules'] as const

/** Of what is there only as long as a process renews it. */
const SHORT_LIVED = {
  max_msgs_per_subject: 1,
  max_age: nanos(LEASE_MS),
  duplicate_window: nanos(LEASE_MS),
}

/** What the server of a bus can do. */
export interface ServerFeatures {
  /** It takes events together or not at all (2.12). */
  atomicBatches: boolean
  /** It keeps messages to itself until they are due (2.12). */
  schedules: boolean
}

/** Makes the streams of a bus that are not there yet. */
export async function addStreams(
  manager: JetStreamManager,
  names: Names,
  { prefix, replicas, duplicateWindowMs }: ResolvedNatsStoreOptions,
): Promise<ServerFeatures> {
  const shared = { storage: StorageType.File, num_replicas: replicas, allow_direct: true }
  const streams = [
    {
      name: names.events,
      subjects: [`${prefix}.event.>`],
      duplicate_window: nanos(duplicateWindowMs),
      allow_atomic: true,
    },
    { name: names.state, subjects: names.stateSubjects(), max_msgs_per_subject: 1 },
    {
      name: names.redelivery,
      subjects: names.redeliverySubjects(),
      retention: RetentionPolicy.Workqueue,
      allow_msg_schedules: true,
    },
    { name: names.lease, subjects: names.leaseSubjects(), ...SHORT_LIVED },
  ]
  const features: ServerFeatures = { atomicBatches: false, schedules: false }
  for (const stream of streams) {
    const { config } = await addStream(manager, { ...shared, ...stream })
    if (stream.name === names.events) features.atomicBatches = config.allow_atomic === true
    if (stream.name === names.redelivery) features.schedules = config.allow_msg_schedules === true
  }
  await addPresence(manager, {
    ...shared,
    name: names.presence,
    subjects: names.presenceSubjects(),
  })
  return features
}

/** In memory, which has room when the disk is full; on disk where the account may use no memory. */
async function addPresence(
  { streams }: JetStreamManager,
  wanted: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const config = { ...wanted, ...SHORT_LIVED }
  try {
    await streams.add({ ...config, storage: StorageType.Memory })
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_DIFFERS) return
    if (!isFull(error)) throw error
    await streams.add(config)
  }
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
    const info = await streams.info(wanted.name)
    const { config } = info
    if (NEEDED.some((name) => differsIn(wanted, config, name))) throw differs(wanted, config, error)
    const learnt = FEATURES.filter((name) => wanted[name] === true && config[name] !== true)
    if (learnt.length === 0) return info
    const update: Partial<StreamConfig> = Object.fromEntries(learnt.map((name) => [name, true]))
    return streams.update(wanted.name, update)
  }
}

/** What the bus relies on; limits that an operator has set beside these are left as they are. */
const NEEDED = [
  'subjects',
  'retention',
  'storage',
  'max_msgs_per_subject',
  'max_age',
  'num_replicas',
  'duplicate_window',
] as const

/** What an operator may change of a stream, with the option that asks for it. */
const SETTINGS = [
  {
    name: 'num_replicas',
    option: 'replicas',
    flag: '--replicas',
    show: (value: unknown) => `${value}`,
  },
  {
    name: 'duplicate_window',
    option: 'duplicateWindowMs',
    flag: '--dupe-window',
    show: (value: unknown) => `${Number(value) / 1e6}`,
  },
] as const

function differsIn(
  wanted: Partial<StreamConfig>,
  found: StreamConfig,
  name: (typeof NEEDED)[number],
): boolean {
  return wanted[name] !== undefined && String(wanted[name]) !== String(found[name])
}

/** All processes of a bus share its streams: a setting is changed on purpose, not by the process that starts last. */
function differs(
  wanted: Partial<StreamConfig> & { name: string },
  found: StreamConfig,
  cause: JetStreamApiError,
): Error {
  const setting = SETTINGS.find(({ name }) => differsIn(wanted, found, name))
  if (setting === undefined) {
    return new EventBusError(
      'INVALID_OPTIONS',
      `stream ${wanted.name}: expected a stream of this bus, got one with other settings (${cause.message}); remove it, or set another \`prefix\``,
      { details: { stream: wanted.name }, cause },
    )
  }
  const { name, option, flag, show } = setting
  const [expected, got] = [show(wanted[name]), show(found[name])]
  const value = option === 'replicas' ? expected : `${expected}ms`
  return new EventBusError(
    'INVALID_OPTIONS',
    `${option}: expected ${got}, which stream ${wanted.name} was made with, got ${expected}; set ${option} to ${got}, or change the stream: nats stream edit ${wanted.name} ${flag}=${value}`,
    {
      details: { stream: wanted.name, option, expected: Number(got), got: Number(expected) },
      cause,
    },
  )
}
