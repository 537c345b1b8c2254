import { freePort } from './free-port.js'
import { greets, natsProgram } from './nats-server.js'
import { ServerProcess } from './server-process.js'

/** NATS servers that form one cluster with JetStream; the first to know each other are the first started. */
export async function startNatsCluster(size: number): Promise<ServerProcess[]> {
  const routes = await Promise.all(Array.from({ length: size }, freePort))
  const all = routes.map((port) => `nats://127.0.0.1:${port}`).join(',')
  return Promise.all(
    routes.map((route, n) =>
      ServerProcess.start({
        command: natsProgram,
        args: (port, directory) => [
          ...['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory, '-n', `node-${n}`],
          ...['--cluster_name', 'test', '--cluster', `nats://127.0.0.1:${route}`, '--routes', all],
        ],
        answers: greets,
      }),
    ),
  )
}
