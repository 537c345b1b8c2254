import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { afterAll } from 'vitest'

/** Reads the whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

/** An HTTP server on a free loopback port that ends with the test file. */
export async function openServer(listener: RequestListener): Promise<number> {
  return listen(createServer(listener))
}

/** A server that speaks raw bytes. */
export async function openRawServer(listener: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    listener(socket)
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
  })
  return listen(server as unknown as Server)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(async () => {
    server.closeAllConnections?.()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}
