import { Readable } from 'node:stream'
import { type FunctionHost, FunctionsError, type HttpMatch } from '@nexus/functions'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { goneSignal } from '../answers/gone-signal.js'
import { HttpError } from '../answers/http-error.js'
import { readBody } from './read-body.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** About the connection, and the length of a body that is sent in parts: they are the server's to say. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What {@link httpFunctionRoutes} needs. */
export interface HttpFunctionParts {
  functions: FunctionHost
  /** Whether the server has a token, which functions must not see. */
  hasToken: boolean
}

/**
 * The function that a request is for, as of now: a reload changes which that is.
 *
 * @param prefix what the paths of the API begin with; those of functions are below it
 */
export function functionFor(
  functions: FunctionHost,
  { method, url }: FastifyRequest,
  prefix: string,
): ReturnType<FunctionHost['route']> {
  return functions.route(method, pathOf(url).slice(prefix.length))
}

/** Requests that no route of the server answers go to the functions with `http`, whatever these are at the moment. */
export function httpFunctionRoutes(
  server: FastifyInstance,
  { functions, hasToken }: HttpFunctionParts,
): void {
  server.register(async (app) => {
    app.removeAllContentTypeParsers()
    // Each function has a limit of its own.
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    app.route({
      method: METHODS,
      url: '/*',
      config: { nexusAccess: 'function' },
      handler: async (request, reply) => {
        const { match, methods } = functionFor(functions, request, app.prefix)
        if (!match) return refuse(request, reply, methods)
        const isOpen = match.http.auth === 'none'
        const asked = await fetchRequest(request, reply, match, { hidesToken: hasToken && !isOpen })
        const response = await answered(functions, asked, match)
        return send(reply, response)
      },
    })
  })
}

function refuse(request: FastifyRequest, reply: FastifyReply, methods: string[]): void {
  if (methods.length === 0) {
    reply.callNotFound()
    return
  }
  reply.header('allow', methods.join(', '))
  throw new HttpError(
    405,
    'METHOD_NOT_ALLOWED',
    `Expected ${methods.join(', ')}, got ${request.method}.`,
  )
}

async function fetchRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { http }: HttpMatch,
  { hidesToken }: { hidesToken: boolean },
): Promise<Request> {
  const { method, raw } = request
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const body = hasBody ? await readBody(request.body, http.bodyLimitBytes) : undefined
  const headers = new Headers()
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const name = raw.rawHeaders[i]!.toLowerCase()
    if (OWN_HEADERS.has(name) || (hidesToken && name === 'authorization')) continue
    headers.append(name, raw.rawHeaders[i + 1]!)
  }
  const address = `${request.protocol}://${request.host}`
  if (!URL.canParse(request.originalUrl, address)) {
    throw new HttpError(400, 'BAD_REQUEST', 'Expected a path and a Host that make an address.')
  }
  return new Request(new URL(request.originalUrl, address), {
    method,
    headers,
    ...(body !== undefined && body.length > 0 && { body: new Uint8Array(body) }),
    signal: goneSignal(reply),
  })
}

async function answered(
  functions: FunctionHost,
  request: Request,
  match: HttpMatch,
): Promise<Response> {
  try {
    return await functions.fetch(request, match)
  } catch (error) {
    throw error instanceof FunctionsError ? refusalOf(error) : error
  }
}

/** Why a function failed is in the log: it may hold what its author would not show. */
function refusalOf({ code, cause }: FunctionsError): HttpError {
  if (code === 'FUNCTION_PAUSED') {
    return new HttpError(503, code, 'The function is paused; ask again later.')
  }
  const reason = (cause as { code?: string } | undefined)?.code
  if (reason === 'POOL_EXHAUSTED') {
    return new HttpError(503, reason, 'Too many calls wait; ask again later.')
  }
  if (reason === 'TIMEOUT') {
    return new HttpError(504, reason, 'The function did not answer within its time limit.')
  }
  return new HttpError(
    500,
    'FUNCTION_FAILED',
    'The function failed; the log of the server says why.',
  )
}

function send(reply: FastifyReply, response: Response): FastifyReply {
  const { status, statusText, headers, body } = response
  reply.code(status)
  if (statusText !== '') reply.raw.statusMessage = statusText
  for (const [name, value] of headers) {
    if (name !== 'set-cookie' && !OWN_HEADERS.has(name)) reply.header(name, value)
  }
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) reply.header('set-cookie', cookies)
  if (body === null) return reply.send()
  // A client that went away destroys the stream, which ends the call.
  return reply.send(Readable.fromWeb(body as import('node:stream/web').ReadableStream))
}

function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
