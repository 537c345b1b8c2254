/** The program that processes beside the test run. */
export interface WorkerProgram {
  /** A JavaScript file that calls `runStoreWorker`. */
  workerFile: string
  /** Tells the program where the events are. */
  environment?: Readonly<Record<string, string>> | undefined
}
