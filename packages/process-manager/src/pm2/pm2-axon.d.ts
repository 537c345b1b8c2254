declare module 'pm2-axon' {
  import type { EventEmitter } from 'node:events'
  import type { Socket } from 'node:net'

  /** Asks; answers come back on the same connection. */
  export interface RequestSocket extends EventEmitter {
    /** The open connections: one or none for a client. */
    readonly socks: readonly Socket[]
    set(setting: 'retry timeout', value: number): this
    connect(path: string): this
    close(): void
  }

  /** Hears what is published. */
  export interface SubscriptionSocket {
    readonly sock: RequestSocket
    on(topic: string, heard: (...args: unknown[]) => void): this
    connect(path: string): unknown
    close(): void
  }

  const axon: {
    socket(type: 'req'): RequestSocket
    socket(type: 'sub-emitter'): SubscriptionSocket
  }
  export default axon
}

declare module 'pm2-axon-rpc' {
  import type { RequestSocket } from 'pm2-axon'

  type Answer = (error: Error | null, ...results: unknown[]) => void

  const rpc: {
    Client: new (
      socket: RequestSocket,
    ) => {
      call(method: string, ...argsAndAnswer: [...args: unknown[], answer: Answer]): void
    }
  }
  export default rpc
}
