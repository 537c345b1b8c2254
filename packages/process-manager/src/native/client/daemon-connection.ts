import { connect, type Socket } from 'node:net'
import { ProcessManagerError, type ProcessManagerErrorCode } from '../../errors.js'
import { type Deferred, deferred } from '../deferred.js'
import { readJsonLines } from '../json-lines.js'
import { type Method, type Methods, PROTOCOL, type Reply } from '../protocol.js'

interface Pending {
  answer: Deferred<unknown>
  method: Method
  /** Until the daemon says that it received the request, then until it answers. */
  timer: NodeJS.Timeout
  answerWithinMs: number
}

/** What connecting fails with where no daemon lives, or one just ends. */
const NOBODY_THERE = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** Says why the daemon does not answer, and what to do. */
export type Diagnose = (what: string, timeoutMs: number) => ProcessManagerError

/** One connection to the daemon; any number of requests may be under way on it. */
export class DaemonConnection {
  readonly #pending = new Map<number, Pending>()
  #requests = 0
  /** What the daemon could not do as it last answered. */
  warnings: readonly string[] = []

  private constructor(
    private readonly socket: Socket,
    private readonly receiptTimeoutMs: number,
    private readonly diagnose: Diagnose,
  ) {}

  /** Resolves once the daemon has greeted; null where none listens. */
  static async open(
    address: string,
    {
      greetingTimeoutMs,
      receiptTimeoutMs,
    }: { greetingTimeoutMs: number; receiptTimeoutMs: number },
    diagnose: Diagnose,
  ): Promise<DaemonConnection | null> {
    const socket = connect(address)
    const connection = new DaemonConnection(socket, receiptTimeoutMs, diagnose)
    const greeting = deferred<boolean>()
    const late = setTimeout(
      () => greeting.reject(diagnose('a greeting', greetingTimeoutMs)),
      greetingTimeoutMs,
    )
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (NOBODY_THERE.has(error.code ?? '')) greeting.resolve(false)
      else greeting.reject(notConnected(address, error))
    })
    socket.once('close', () => {
      greeting.resolve(false)
      connection.#lost()
    })
    readJsonLines(
      socket,
      (message) => {
        const reply = asReply(message)
        if (reply === null) socket.destroy()
        else if ('hello' in reply) {
          const { protocol, pid } = reply.hello
          if (protocol === PROTOCOL) greeting.resolve(true)
          else greeting.reject(incompatible(protocol, pid))
        } else connection.#received(reply)
      },
      () => socket.destroy(),
    )
    try {
      if (!(await greeting.promise)) return null
      socket.unref()
      return connection
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      clearTimeout(late)
    }
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable
  }

  request<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    answerWithinMs: number,
  ): Promise<Methods[M]['result']> {
    const id = ++this.#requests
    const answer = deferred<unknown>()
    const timer = setTimeout(
      () => this.#give(id, this.diagnose(`a receipt for "${method}"`, this.receiptTimeoutMs)),
      this.receiptTimeoutMs,
    )
    this.#pending.set(id, { answer, method, timer, answerWithinMs })
    // The process waits for answers, not for the daemon as such.
    this.socket.ref()
    this.socket.write(`${JSON.stringify({ id, method, params })}\n`)
    return answer.promise as Promise<Methods[M]['result']>
  }

  close(): void {
    this.socket.destroy()
  }

  #received(reply: Exclude<Reply, { hello: unknown }>) {
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    if ('received' in reply) {
      clearTimeout(pending.timer)
      const { method, answerWithinMs } = pending
      pending.timer = setTimeout(
        () => this.#give(reply.id, this.diagnose(`an answer to "${method}"`, answerWithinMs)),
        answerWithinMs,
      )
    } else if ('error' in reply) {
      const { code, message, details } = reply.error
      const known = code as ProcessManagerErrorCode
      this.#give(reply.id, new ProcessManagerError(known, message, { details }))
    } else {
      this.warnings = reply.warnings
      this.#give(reply.id, null, reply.result)
    }
  }

  #give(id: number, error: Error | null, result?: unknown) {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    if (this.#pending.size === 0) this.socket.unref()
    if (error === null) pending.answer.resolve(result)
    else pending.answer.reject(error)
  }

  #lost() {
    for (const [id, { method }] of this.#pending) {
      this.#give(
        id,
        new ProcessManagerError(
          'DAEMON_LOST',
          `The daemon ended, or the connection to it did, before it answered "${method}". Whether that took effect is not known: see list().`,
          { details: { method } },
        ),
      )
    }
  }
}

/** Null for what no daemon sends. */
function asReply(message: unknown): Reply | null {
  if (!isObject(message)) return null
  const { hello, id, error } = message
  if (isObject(hello)) return areNumbers(hello.protocol, hello.pid) ? (message as Reply) : null
  const isError = isObject(error) && typeof error.code === 'string' && isObject(error.details)
  const isAnswer = error === undefined || (isError && typeof error.message === 'string')
  return areNumbers(id) && isAnswer ? (message as Reply) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function areNumbers(...numbers: unknown[]): boolean {
  return numbers.every(Number.isFinite)
}

function notConnected(address: string, cause: NodeJS.ErrnoException) {
  return new ProcessManagerError(
    'DAEMON_UNREACHABLE',
    `Expected the daemon at ${address}: ${cause.message}. See that this user may use that socket.`,
    { details: { address }, cause },
  )
}

function incompatible(protocol: number, pid: number) {
  return new ProcessManagerError(
    'DAEMON_INCOMPATIBLE',
    `The daemon with pid ${pid} speaks protocol ${protocol}, this version speaks ${PROTOCOL}. End it with \`kill ${pid}\`, which stops its services, and start them again.`,
    { details: { pid, protocol, expected: PROTOCOL } },
  )
}
