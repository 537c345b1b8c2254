import { once } from 'node:events'
import { connect } from 'node:net'
import { hasProgram, ServerProcess } from './server-process.js'

/** The program to run; another version than the installed one is tested with `NEXUS_NATS_SERVER`. */
export const natsProgram = process.env.NEXUS_NATS_SERVER ?? 'nats-server'

/** Whether this machine can run tests against NATS. */
export function hasNats(): boolean {
  return hasProgram(natsProgram, 'apt-get install nats-server')
}

/** Starts a NATS server with JetStream. */
export function startNats(settings: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({
    command: natsProgram,
    args: (port, directory) => [
      ...['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory],
      ...settings,
    ],
    answers: greets,
  })
}

/** A server sends its INFO first, whatever it asks of the client afterwards. */
export async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    return greeting.toString().startsWith('INFO')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
