import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpError } from './http-error.js'

/** Gives every body of the routes of `app` at most `timeoutMs` to arrive; then the request is answered with 408. */
export function limitBodyTime(app: FastifyInstance, timeoutMs: number): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  const stop = (request: FastifyRequest) => clearTimeout(timers.get(request))

  // A body that no route reads is not waited for: the connection ends with the answer.
  app.addHook('onRequest', ({ method, headers }, reply, done) => {
    const hasBody =
      Number(headers['content-length']) > 0 || headers['transfer-encoding'] !== undefined
    if (hasBody && (method === 'GET' || method === 'HEAD')) reply.header('connection', 'close')
    done()
  })
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const timer = setTimeout(() => {
      const seconds = timeoutMs / 1000
      const message = `The body did not arrive within ${seconds} s.`
      // Who reads the body hears of it as of any other failure of the connection.
      if (payload.listenerCount('error') > 0) {
        payload.emit('error', new HttpError(408, 'REQUEST_TIMEOUT', message))
      }
    }, timeoutMs)
    timers.set(request, timer)
    done(null, payload)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    stop(request)
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    stop(request)
    done()
  })
}
