import type { Clock } from '../clock.js'
import { type CloudEvent, type EventInput, encodeEvent } from '../event/cloud-event.js'
import { assertSchema } from '../event/event-schemas.js'
import type { ResolvedEventBusOptions } from '../options.js'
import type { AppendRequest } from '../store/event-store.js'

/** When an event is due. */
export type DueTime = Pick<AppendRequest, 'deliverAtMs' | 'delayMs'>

/** Makes of what publishers and handlers hand over what a store takes. */
export class EventEncoder {
  readonly #options: ResolvedEventBusOptions
  readonly #clock: Clock

  constructor(options: ResolvedEventBusOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** @throws EventBusError `INVALID_EVENT`, `EVENT_TOO_LARGE`, `SCHEMA_MISMATCH` */
  encode(input: EventInput, dueTime?: DueTime): AppendRequest {
    const { source, maxEventBytes, schemas, store } = this.#options
    const encoded = encodeEvent(input, { source, maxEventBytes, now: this.#clock.now() })
    assertSchema(schemas, encoded.event)
    const request = { ...encoded, ...dueTime }
    store.checkEvent?.(request)
    return request
  }

  /** An event that a handler emitted for `parent`; who follows the trace of one finds the other. */
  encodeEmitted(input: EventInput, id: string, parent: CloudEvent): AppendRequest {
    const traced = { ...input, id }
    if (traced.traceparent === undefined && parent.traceparent !== undefined) {
      traced.traceparent = parent.traceparent
      if (parent.tracestate !== undefined) traced.tracestate = parent.tracestate
    }
    return this.encode(traced)
  }
}
