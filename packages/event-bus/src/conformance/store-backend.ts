import type { EventStore } from '../store/event-store.js'
import type { Storage } from './harness/harness.js'

/** What a backend brings to `describeStore`. */
export interface StoreBackend {
  /** Heads the list of its tests. */
  name: string
  /** Events outlive the store that wrote them. */
  persistent: boolean
  /** Several processes may work on one place at once. */
  shared: boolean
  /**
   * Starts what stores need, such as a server: once for the promises, and once for each test that kills it or cuts its
   * network.
   */
  start(): Promise<StartedBackend>
  /**
   * Builds the program for processes beside the test, which calls `runStoreWorker`, for one test.
   * @default without: no test with several processes
   */
  worker?: (() => Promise<WorkerBundle>) | undefined
  /**
   * For how long the network to the server fails each time, in milliseconds. Longer than a request may take, shorter than
   * the two seconds after which a claim lapses. @default without: no network tests
   */
  networkFaultMs?: number | undefined
  /** Ways to reach the backend with a secret. @default [] */
  secrets?: readonly SecretPlan[] | undefined
}

/** A backend that runs. */
export interface StartedBackend {
  /** Makes an empty place for events. */
  createStorage(): Promise<Storage>
  /** The server, where the backend has one. */
  server?: BackendServer | undefined
  /** Ends it, and removes what it left. */
  stop(): Promise<void>
}

/** The server of a backend. */
export interface BackendServer {
  /** Where it listens on this machine. */
  port: number
  /** A store that reaches it through another port. */
  openStoreAt(port: number): EventStore
  /** Environment variables by which the worker program finds the same place through that port. */
  environmentAt(port: number): Readonly<Record<string, string>>
  /** Ends it with -9. */
  kill(): Promise<void>
  /** Starts it again on what it kept. */
  restart(): Promise<void>
  /** Removes all that it has, while it runs. */
  empty(): Promise<void>
}

/** A way to reach a backend with a secret, which no result, no error and no figure of the bus may show. */
export interface SecretPlan {
  /** Says what the secret is. */
  name: string
  /** Starts a backend that asks for it. */
  start(): Promise<{
    secrets: readonly string[]
    openStore(): EventStore
    /** A store that is refused: its secret is wrong and contains one of `secrets`. */
    openRefused?(): EventStore
    /** Takes the server away, where there is one. */
    kill?(): Promise<void>
    stop(): Promise<void>
  }>
}

/** A program as one JavaScript file, in a directory of its own. */
export interface WorkerBundle {
  /** The JavaScript file. */
  workerFile: string
  /** A directory that it has for itself. */
  directory: string
  /** Removes both. */
  remove(): void
}

/** The functions of a test runner that take a name, options and a body: those of vitest and of `node:test`. */
export interface TestRunner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** Adds a test. Those that are `concurrent` mostly wait, and may run at the same time as their neighbours. */
  it(
    name: string,
    options: { timeout: number; concurrent?: boolean },
    body: () => Promise<void>,
  ): unknown
  /** Runs when the tests of the group are over. */
  afterAll(body: () => Promise<void>): unknown
}
