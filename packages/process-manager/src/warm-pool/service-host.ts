import { realpathSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { HostMessage, ParentMessage, RunRequest } from './host-messages.js'
import { observeListening } from './observe-listening.js'
import { keepOutputWithoutParent } from './orphan-output.js'

// The entry of every process that a WarmPool forks: preloads what it is told to, waits, and becomes the service.

let running = false
/** How many listeners are this file's, so that the script's can be told from them. */
let ownListeners = { message: 1, disconnect: 1 }

process.on('message', (message: ParentMessage) => {
  if (message.type === 'nexus:run' && !running) {
    running = true
    run(message.request)
  } else if (message.type === 'nexus:health' && !scriptListens('message')) {
    send({ type: 'nexus:healthy' })
  } else if (message.type === 'nexus:shutdown' && !process.emit('SIGTERM', 'SIGTERM')) {
    process.exit(0)
  }
})
process.on('disconnect', () => {
  if (!running) process.exit(0)
})

void preload(process.argv.slice(2))

async function preload(modules: readonly string[]) {
  for (const module of modules) {
    await import(module.startsWith('node:') ? module : pathToFileURL(module).href)
  }
  send({ type: 'nexus:idle', memoryBytes: process.memoryUsage.rss() })
}

function run(request: RunRequest) {
  Object.assign(process.env, request.env)
  process.title = request.title
  process.argv = [process.execPath, request.script, ...request.args]
  process.chdir(request.cwd)
  keepOutputWithoutParent(request.log)
  observeListening(request, send)
  leaveChannelToScript()
  send({ type: 'nexus:running' })
  // The loader of a program's main module: decides between CommonJS and ES modules as `node script` does.
  Module.runMain(request.script)
  void reportLoaded(request.script)
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
  // Timers that keep nothing alive fire only in a loop that goes on by itself; the first may fire in its last round.
  setTimeout(() => {
    setTimeout(() => send({ type: 'nexus:loaded' }), 1).unref()
  }, 1).unref()
}

/** The channel keeps the process alive only while the script listens to it, as in any forked process. */
function leaveChannelToScript() {
  ownListeners = {
    message: process.listenerCount('message'),
    disconnect: process.listenerCount('disconnect'),
  }
  process.channel?.unref()
  process.on('newListener', (event) => {
    if (event === 'message' || event === 'disconnect') process.channel?.ref()
  })
  process.on('removeListener', () => {
    if (!scriptListens('message') && !scriptListens('disconnect')) process.channel?.unref()
  })
}

function scriptListens(event: 'message' | 'disconnect') {
  return process.listenerCount(event) > ownListeners[event]
}

function send(message: HostMessage) {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}
