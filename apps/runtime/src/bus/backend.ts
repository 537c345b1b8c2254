import type { SharedTier } from '@nexus/compile-cache'
import type { DataKeyOptions, EventStore, RetentionOptions } from '@nexus/event-bus'
import type { z } from 'zod'

/** A place that can keep events, with everything the runtime has to know of it. Its settings are those of `schema`. */
export interface Backend<Settings extends object = object> {
  /** Its name in nexus.yaml: `bus: <name>`, or `bus: { <name>: … }` with settings. */
  readonly name: string
  /** Its settings in nexus.yaml. */
  readonly schema: z.ZodType<Settings>
  /** How its server is found; undefined when it runs in this process. */
  readonly server?: BackendServer
  /** Whether `durability` is chosen here and not by a server. */
  readonly choosesDurability?: boolean
  /** Whether it encrypts what it keeps with `NEXUS_DATA_KEY`. */
  readonly encrypts?: boolean
  /** Opens the store; loads the library that it needs. */
  openStore(settings: StoreSettings<Settings>): EventStore | Promise<EventStore>
  /** Opens the part of the compile cache that runtimes on one server share. */
  openCacheTier?(settings: ServerSettings<Settings>): Promise<CacheTier>
}

/** How the server of a backend is found. */
export interface BackendServer {
  /** Schemes of its addresses: without TLS, with TLS. */
  readonly protocols: readonly [plain: string, secure: string]
  /** The address where nexus.yaml and `NEXUS_BUS_URL` name none. */
  readonly defaultUrl: string
  /** Whether a cluster is written as several addresses with commas. */
  readonly takesSeveral: boolean
}

/** A backend's settings with the addresses of its server, user and password included. */
export type ServerSettings<Settings> = Omit<Settings, 'url'> & { urls: readonly string[] }

/** What a store is opened with. */
export type StoreSettings<Settings> = ServerSettings<Settings> & {
  /** Absolute path of the directory for what is kept on this machine. */
  dataDir: string
  durability?: 'disk' | 'os' | undefined
  retention?: RetentionOptions | undefined
  /** Only for a backend that encrypts. */
  dataKey?: DataKeyOptions | undefined
}

/** A shared tier that is closed with the runtime. */
export interface CacheTier extends SharedTier {
  close(): Promise<void>
}
