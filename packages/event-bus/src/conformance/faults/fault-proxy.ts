import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that can do to connections what networks do. */
export class FaultProxy {
  readonly #server: Server
  readonly #pairs = new Set<[client: Socket, server: Socket]>()
  #stalled = false
  #refusing = false
  /** Packets of clients that pass before the next stall. */
  #packetsLeft = Number.POSITIVE_INFINITY
  #onStall = (): void => {}

  private constructor(target: number) {
    this.#server = createServer((client) => {
      if (this.#refusing) {
        client.resetAndDestroy()
        return
      }
      const server = connect(target, '127.0.0.1')
      const pair: [Socket, Socket] = [client, server]
      this.#pairs.add(pair)
      for (const [from, to] of [pair, [server, client]] as const) {
        from.on('data', (bytes) => {
          if (from === client && this.#packetsLeft-- <= 0) {
            this.stall()
            from.unshift(bytes)
            this.#onStall()
          } else to.write(bytes)
        })
        from.on('error', () => {})
        from.on('close', () => {
          this.#pairs.delete(pair)
          to.destroy()
        })
        if (this.#stalled) from.pause()
      }
    })
  }

  /** Listens on a free port of this machine, and connects to `target`, another one. */
  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Bytes stop in both directions; neither side is told. */
  stall(): void {
    this.#stalled = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** Bytes stop before a packet of a client, after so many that pass; resolves then. */
  stallAfter(packets: number): Promise<void> {
    this.#packetsLeft = packets
    return new Promise((resolve) => {
      this.#onStall = resolve
    })
  }

  /** Bytes flow again. */
  flow(): void {
    this.#packetsLeft = Number.POSITIVE_INFINITY
    this.#stalled = false
    this.#refusing = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /** Every connection ends in the orderly way. */
  drop(): void {
    for (const [client, server] of this.#pairs) {
      client.end()
      server.end()
    }
  }

  /** Every connection is reset, and so is each new one until `flow`. */
  reset(): void {
    this.#refusing = true
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** Ends every connection and listens no more. */
  async close(): Promise<void> {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }
}
