import { once } from 'node:events'
import { connect } from 'node:net'
import { hasProgram, ServerProcess } from './server-process.js'

/** The program to run; another version than the installed one is tested with `NEXUS_REDIS_SERVER`. */
const redisProgram = process.env.NEXUS_REDIS_SERVER ?? 'redis-server'

/** Whether this machine can run tests against Redis. */
export function hasRedis(): boolean {
  return hasProgram(redisProgram, 'apt-get install redis-server')
}

/**
 * Starts a Redis server, which syncs before it answers unless `settings` say otherwise. With `tls` it takes
 * no plain connections; the certificates are among the settings.
 */
export function startRedis(
  settings: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always'],
  { tls = false } = {},
): Promise<ServerProcess> {
  return ServerProcess.start({
    command: redisProgram,
    args: (port, directory) => [
      ...(tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)]),
      ...['--bind', '127.0.0.1', '--dir', directory, '--save', ''],
      ...settings,
    ],
    answers: tls ? listens : answers,
  })
}

/** A server that starts with an empty directory has nothing to load once it listens. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A server that is still loading its file answers with an error. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return /^(\+PONG|-NOAUTH)/.test(answer.toString())
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
