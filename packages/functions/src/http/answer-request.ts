import { randomUUID } from 'node:crypto'
import type { ExecutionResult, IncomingRequest, ResponsePart } from '@nexus/executor'
import { FunctionsError } from '../errors.js'
import {
  type BoundFunction,
  emittedEvents,
  functionContext,
  type RunSetup,
  tell,
} from '../run/function-call.js'
import { recordOf } from '../run/run-record.js'
import type { HttpMatch } from './http-routes.js'

/** Statuses of responses that have no body. */
const NO_BODY = new Set([204, 205, 304])
/** Parts of a response that a function may send, where its limit does not say otherwise. */
const MAX_PARTS = 100_000

/**
 * Has a function answer a request. What it emits is stored before its answer ends.
 *
 * @returns its response, whose body comes as the function sends it
 * @throws FunctionsError `FUNCTION_FAILED` when it failed before it answered; what fails later is an error of the body
 */
export async function answerRequest(
  bound: BoundFunction,
  { params, http }: HttpMatch,
  request: Request,
  setup: RunSetup,
): Promise<Response> {
  const { definition, limits } = bound
  const startedMs = performance.now()
  const event = { id: randomUUID(), source: '/http', type: `nexus.http.${definition.name}` }
  // A part is taken when the one before it is on its way.
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  writer.closed.catch(() => {})
  let answer: (response: Response) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const answered = new Promise<Response>((resolve, reject) => {
    answer = resolve
    fail = reject
  })
  let status = 0
  const respond = async ({ head, bytes }: ResponsePart): Promise<void> => {
    if ((head === undefined) === (status === 0)) {
      throw new TypeError('expected the head of the response once, first')
    }
    request.signal.throwIfAborted()
    if (head !== undefined) {
      status = head.status
      const body = NO_BODY.has(status) ? null : readable
      answer(new Response(body, head))
    }
    if (bytes !== undefined && bytes.length > 0 && !NO_BODY.has(status)) await writer.write(bytes)
  }
  const call = setup.runtime.executeCompiledHandler(
    definition.compiled,
    {
      event: await incoming(request, params),
      ...functionContext(bound, { event, replay: 0 }, setup),
      respond,
    },
    { ...limits, maxHostCalls: limits.maxHostCalls ?? MAX_PARTS },
  )
  const ended = call.then(async (result) => {
    tell(definition, { event, attempt: 1 }, setup, recordOf(result), result.metrics)
    if (result.error !== undefined || status === 0) throw failure(definition.name, result)
    const emitted = emittedEvents(result, definition.name, setup)
    if (emitted.length > 0) await setup.bus.publishBatch(emitted)
  })
  ended
    .then(
      () => writer.close(),
      (error: unknown) => {
        fail(error)
        return writer.abort(error)
      },
    )
    .catch(() => {})
    .then(async () => {
      if (http.journal) await journal()
    })
    .catch((error: unknown) => setup.bus.emit('error', error))

  function journal() {
    const { pathname, search } = new URL(request.url)
    const durationMs = performance.now() - startedMs
    const data = { method: request.method, url: pathname + search, status, durationMs }
    return setup.bus.publish({ ...event, data })
  }

  return answered
}

async function incoming(request: Request, params: HttpMatch['params']): Promise<IncomingRequest> {
  const { method, url, headers } = request
  const body = Buffer.from(await request.arrayBuffer())
  return {
    method,
    url,
    headers: [...headers],
    params,
    ...(body.length > 0 && { body: body.toString('base64') }),
  }
}

function failure(name: string, { error }: ExecutionResult): FunctionsError {
  const { code = 'EXECUTION_ERROR', message = 'it ended without an answer' } = error ?? {}
  return new FunctionsError('FUNCTION_FAILED', `function ${name} failed: ${message}`, {
    cause: { code, message },
  })
}
