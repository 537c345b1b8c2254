import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerHeaders, errorBody } from './http-error.js'

const answers: Record<string, { status: string; code: string; message: string }> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'REQUEST_TIMEOUT',
    message: 'The request took too long to arrive.',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'HEADERS_TOO_LARGE',
    message: 'The address and headers of the request are larger than this server reads.',
  },
}
const malformed = {
  status: '400 Bad Request',
  code: 'BAD_REQUEST',
  message: 'The request is not valid HTTP, or its method is unknown.',
}
const tunnel = {
  status: '405 Method Not Allowed',
  code: 'METHOD_NOT_ALLOWED',
  message: 'This server is no proxy: it opens no tunnel.',
}

/** Connections whose refusal is on its way: more broken bytes change nothing. */
const refused = new WeakSet<Socket>()

/**
 * Answers what Node's parser refuses, before there is a request, in the shape of all other refusals. Requests that came
 * whole before it on the same connection get their own answers first.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (refused.has(socket)) return
  refused.add(socket)
  refuse(error, socket)
}

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: ServerResponse | null }
  if (error.code !== 'ECONNRESET' && socket.writable && answering?.req.complete) {
    answering.once('close', () => refuse(error, socket))
    return
  }
  // Bytes in the middle of another answer would be taken for a part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy()
    return
  }
  end(socket, answers[error.code ?? ''] ?? malformed)
}

/** Answers `CONNECT`, whose connection Node hands over instead of a request. */
export function refuseTunnel(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  end(socket, tunnel)
}

function end(
  socket: Duplex,
  { status, code, message }: { status: string; code: string; message: string },
): void {
  const body = JSON.stringify(errorBody(code, message))
  socket.end(`HTTP/1.1 ${status}\r\n${head(body)}\r\n\r\n${body}`)
}

function head(body: string): string {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...answerHeaders,
    connection: 'close',
  }
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\r\n')
}
