import { realpathSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { boundOutput } from './bound-output.js'
import type { HostMessage, OutputFiles, ParentMessage, RunRequest } from './host-messages.js'
import { drain, socketOf } from './listening-servers.js'
import { observeListening } from './observe-listening.js'
import { surviveLostOutput } from './survive-lost-output.js'
import { isTypeScript, prepareTypeScript } from './type-script.js'

// The entry of every process that a WarmPool forks: preloads what it is told to, waits, and becomes the service.

let running = false
/** The script has closed the channel, as it sees it. The host still uses it: to say that the script is loaded, for one. */
let leftByScript = false
/** How many listeners are this file's, so that the script's can be told from them. */
let ownListeners = { message: 1, disconnect: 1 }

process.on('message', (message: ParentMessage) => {
  if (message.type === 'nexus:run' && !running) {
    running = true
    void run(message.request, message.output)
  } else if (message.type === 'nexus:health' && !scriptListens('message')) {
    send({ type: 'nexus:healthy' })
  } else if (message.type === 'nexus:share-socket') {
    const { host, handle } = socketOf(message.port) ?? { host: null }
    send({ type: 'nexus:socket', host, port: message.port }, handle)
  } else if (message.type === 'nexus:drain') {
    drain(() => send({ type: 'nexus:drained' }))
  } else if (message.type === 'nexus:shutdown' && !process.emit('SIGTERM', 'SIGTERM')) {
    process.exit(0)
  }
})
process.on('disconnect', () => {
  if (!running) process.exit(0)
})

const sendToParent = process.send?.bind(process)

void preload(process.argv.slice(2))

async function preload(modules: readonly string[]) {
  for (const module of modules) {
    await import(module.startsWith('node:') ? module : pathToFileURL(module).href)
  }
  send({ type: 'nexus:idle', memoryBytes: process.memoryUsage.rss() })
}

async function run(request: RunRequest, output: OutputFiles | null) {
  Object.assign(process.env, request.env)
  process.title = request.title
  process.argv = [process.execPath, request.script, ...request.args]
  process.chdir(request.cwd)
  surviveLostOutput()
  if (output !== null) boundOutput(output)
  observeListening(request, send)
  leaveChannelToScript()
  send({ type: 'nexus:running' })
  const { script } = request
  if (isTypeScript(script)) {
    await prepareTypeScript(script)
    // A failure ends the process, as that of a main module does.
    await import(pathToFileURL(script).href)
    return sayLoaded()
  }
  // The loader of a program's main module: decides between CommonJS and ES modules as `node script` does.
  Module.runMain(script)
  void reportLoaded(script)
}

async function reportLoaded(script: string) {
  const file = realpathSync(script)
  if (!(file in createRequire(file).cache)) {
    // The loader has it already: this resolves once it is evaluated. Its failure ends the process by itself.
    const evaluated = await import(pathToFileURL(file).href).then(
      () => true,
      () => false,
    )
    if (!evaluated) return
  }
  sayLoaded()
}

function sayLoaded() {
  // Timers that keep nothing alive fire only in a loop that goes on by itself; the first may fire in its last round.
  setTimeout(() => {
    setTimeout(() => send({ type: 'nexus:loaded' }), 1).unref()
  }, 1).unref()
}

/**
 * The channel keeps the process alive only while the script listens to it, as in any forked process, and until the script
 * disconnects. The channel itself stays open then, for the host.
 */
function leaveChannelToScript() {
  // A daemon that dies takes what was on its way to it along; that is no reason for the script to fail.
  if (sendToParent) process.send = sendOrLose
  let connected = process.connected
  Object.defineProperty(process, 'connected', {
    configurable: true,
    enumerable: true,
    get: () => connected && (sending || !leftByScript),
    set: (value: boolean) => {
      connected = value
    },
  })
  // Node calls this as well, when the daemon has gone.
  process.disconnect = () => {
    if (!process.connected) return
    leftByScript = true
    process.channel?.unref()
    process.nextTick(() => process.emit('disconnect'))
  }
  ownListeners = {
    message: process.listenerCount('message'),
    disconnect: process.listenerCount('disconnect'),
  }
  process.channel?.unref()
  process.on('newListener', (event) => {
    const listens = event === 'message' || event === 'disconnect'
    if (listens && !leftByScript) process.channel?.ref()
  })
  process.on('removeListener', () => {
    if (!scriptListens('message') && !scriptListens('disconnect')) process.channel?.unref()
  })
}

/** `process.send` for the script. Without a callback, Node would throw later that the channel is closed. */
function sendOrLose(message: unknown, ...rest: unknown[]): boolean {
  const isTold = rest.some((argument) => typeof argument === 'function')
  const all = isTold ? [message, ...rest] : [message, rest[0], rest[1], () => {}]
  return Reflect.apply(sendToParent as () => boolean, process, all)
}

function scriptListens(event: 'message' | 'disconnect') {
  return process.listenerCount(event) > ownListeners[event]
}

/** Whether the host itself uses the channel just now. */
let sending = false

function send(message: HostMessage, handle?: unknown) {
  sending = true
  try {
    if (process.connected) sendToParent?.(message, handle as undefined, undefined, () => {})
  } catch {
    // The daemon has gone, and Node has closed the channel: it cannot even say so.
  } finally {
    sending = false
  }
}
