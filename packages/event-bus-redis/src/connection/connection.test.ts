import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { createConnection } from './connection.js'

it('survives a second error of one socket, as TLS gives after a refused certificate', async () => {
  const server = createServer((socket) => socket.on('data', () => socket.write('+OK\r\n')))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const connection = createConnection({
    url: `redis://127.0.0.1:${port}`,
    tls: undefined,
    requestTimeoutMs: 5_000,
  })
  void connection.connect().catch(() => {})
  await once(connection, 'connect')
  const { stream } = connection
  for (const message of ['certificate refused', 'alert from the other side']) {
    expect(() => stream.emit('error', new Error(message))).not.toThrow()
  }
  connection.disconnect()
  server.close()
})
