/** What a forked process needs to become a service. */
export interface RunRequest {
  /** Absolute path of the script. */
  script: string
  /** Arguments of the script. */
  args: readonly string[]
  /** Working directory of the script. */
  cwd: string
  /** Set on top of the environment that the process was forked with. */
  env: Readonly<Record<string, string>>
  /** Shown by `ps`. */
  title: string
  /** Listening on this port is reported. */
  port: number | null
  /** Whether the port's socket comes from the parent, which shares it among several processes. */
  sharesPort: boolean
}

/** What a process prints to, where that is no pipe. */
export interface OutputFiles {
  /** Holds the files `stdout` and `stderr`. */
  directory: string
  /** Of each, so much is wanted at most. */
  keptBytes: number
}

/** A server of the process wants to listen on the shared port. */
export interface ListenRequest {
  type: 'nexus:listen'
  id: number
  host: string | null
  port: number
}

/** What the parent says; `nexus:listen-answer` brings the socket as the message's handle. */
export type ParentMessage =
  | { type: 'nexus:run'; request: RunRequest; output: OutputFiles | null }
  | { type: 'nexus:listen-answer'; id: number; code: string | null }
  | { type: 'nexus:health' }
  /** Asks for the socket that it listens on, for a process that is to listen on it as well. */
  | { type: 'nexus:share-socket'; port: number }
  /** Accept no more connections, and say when those that there are have ended. */
  | { type: 'nexus:drain' }
  | { type: 'nexus:shutdown' }

/** What the process says itself; the rest is what its script sends. */
export type HostMessage =
  /** Preloaded, waits to be told what to run. */
  | { type: 'nexus:idle'; memoryBytes: number }
  /** About to load the script. */
  | { type: 'nexus:running' }
  /** The script is loaded, and something keeps the process alive. */
  | { type: 'nexus:loaded' }
  | { type: 'nexus:listening'; port: number }
  | { type: 'nexus:listen-failed'; port: number; code: string }
  | { type: 'nexus:healthy' }
  /** Brings the socket as the message's handle; without one, no server of the process listens there. */
  | { type: 'nexus:socket'; host: string | null; port: number }
  | { type: 'nexus:drained' }
  | ListenRequest
