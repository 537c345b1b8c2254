import { parentPort, workerData } from 'node:worker_threads'
import { Engine } from '../engine.js'
import { ThreadProfiler } from './profiling/thread-profiler.js'
import type { FromThread, ThreadData, ToThread } from './protocol.js'
import { ThreadStatus } from './thread-status.js'
import { buffersOf, packQuestion } from './transferable.js'

/** A caller should not wait for its neighbours in the batch longer than this. */
const MAX_HELD_BACK_MS = 0.5

/** What changes by itself, such as idle sandboxes that go, is told this late. */
const STATS_EVERY_MS = 1_000

const port = parentPort!
const { engine: options, hardTimeoutGraceMs, status: statusBuffer } = workerData as ThreadData
const status = new ThreadStatus(statusBuffer)
const profiler = new ThreadProfiler()

let outbox: FromThread[] = []
let oldestAt = 0
/** While messages are received, what they lead to is sent together at the end. */
let receiving = false

function flush(): void {
  if (outbox.length === 0) return
  const messages = outbox
  outbox = []
  status.writeStats(engine.getStats())
  port.postMessage(messages, buffersOf(messages))
}

function send(message: FromThread): void {
  const now = performance.now()
  if (outbox.length === 0) {
    oldestAt = now
    if (!receiving) setImmediate(flush)
  }
  outbox.push(message)
  if (now - oldestAt > MAX_HELD_BACK_MS) flush()
}

const engine = new Engine(options, {
  finished: (request, result) => send({ kind: 'finished', callId: request.id, result }),
  asked: (callId, id, question) =>
    send({ kind: 'asked', callId, id, question: packQuestion(question) }),
  withdrawn: (callId, id) => send({ kind: 'withdrawn', callId, id }),
  entered: (callId, deadlineInMs) => status.enter(callId, deadlineInMs + hardTimeoutGraceMs),
  left: () => status.leave(),
  suspended: (callId) => send({ kind: 'suspended', callId }),
})

function receive(message: ToThread): void {
  switch (message.kind) {
    case 'handler':
      engine.addHandler(message.key, message.code)
      return
    case 'call': {
      const { request } = message
      const isThawed = request.evaluation ?? request.resumption
      if (isThawed || engine.hasHandler(request.handlerKey)) engine.run(request)
      else send({ kind: 'unknown-handler', callId: request.id })
      return
    }
    case 'answer':
      engine.answer(message.callId, message.id, message.answer)
      return
    case 'resize':
      engine.resize(message.limits)
      return
    case 'profile':
      profiler.start(message.samplingIntervalUs)
      return
    case 'profile-end':
      void profiler
        .stop()
        .then((profile) => send({ kind: 'profiled', profileId: message.profileId, profile }))
      return
    case 'shutdown':
      void engine.shutdown().then(() => {
        flush()
        port.close()
      })
  }
}

port.on('message', (messages: ToThread[]) => {
  receiving = true
  for (const message of messages) receive(message)
  receiving = false
  // A call that waits for a sandbox sends nothing, and is to be seen all the same.
  if (outbox.length === 0) status.writeStats(engine.getStats())
  flush()
})

setInterval(() => status.writeStats(engine.getStats()), STATS_EVERY_MS).unref()

await engine.warmUp()
send({ kind: 'ready' })
