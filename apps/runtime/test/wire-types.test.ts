import type * as client from '@nexus/client'
import type { CloudEvent, Erasure, JsonValue } from '@nexus/event-bus'
import type {
  EventOutcome,
  FunctionRun,
  FunctionStatus,
  Invocation,
  LogLine,
  RunError,
} from '@nexus/functions'
import type { FunctionProfile } from '@nexus/functions/profiling'
import type { ProcessProfile, UxImprovement } from '@nexus/profiler'
import { expectTypeOf, it } from 'vitest'

/** The type checker holds these; they run without a test failing. */
it('the client describes the JSON that the server sends', () => {
  expectTypeOf<JsonValue>().toEqualTypeOf<client.JsonValue>()
  expectTypeOf<LogLine>().toEqualTypeOf<client.LogLine>()
  expectTypeOf<RunError>().toEqualTypeOf<client.RunError>()
  expectTypeOf<FunctionRun>().toEqualTypeOf<client.FunctionRun>()
  expectTypeOf<FunctionStatus>().toExtend<client.FunctionStatus>()
  expectTypeOf<EventOutcome>().toEqualTypeOf<client.EventOutcome>()
  expectTypeOf<Invocation>().toExtend<client.Invocation>()
  expectTypeOf<UxImprovement>().toEqualTypeOf<client.UxImprovement>()
  expectTypeOf<FunctionProfile<ProcessProfile>>().toExtend<client.ProfileReport>()
  expectTypeOf<client.ProfileReport>().toExtend<FunctionProfile<ProcessProfile>>()
  expectTypeOf<Erasure>().toEqualTypeOf<client.Erasure>()
  expectTypeOf<CloudEvent>().toExtend<client.CloudEvent>()
})
