import type * as client from '@nexus/client'
import type { CloudEvent, JsonValue } from '@nexus/event-bus'
import type { FunctionRun, LogLine, RunError } from '@nexus/functions'
import type { UxImprovement } from '@nexus/profiler'
import { expectTypeOf, it } from 'vitest'

/** The type checker holds these; they run without a test failing. */
it('the client describes the JSON that the server sends', () => {
  expectTypeOf<JsonValue>().toEqualTypeOf<client.JsonValue>()
  expectTypeOf<LogLine>().toEqualTypeOf<client.LogLine>()
  expectTypeOf<RunError>().toEqualTypeOf<client.RunError>()
  expectTypeOf<FunctionRun>().toEqualTypeOf<client.FunctionRun>()
  expectTypeOf<UxImprovement>().toEqualTypeOf<client.UxImprovement>()
  expectTypeOf<CloudEvent>().toExtend<client.CloudEvent>()
})
