/** Why a request failed; stable across versions. */
export type NexusClientErrorCode =
  | 'CONNECTION_REFUSED'
  | 'CONNECTION_FAILED'
  | 'TIMEOUT'
  | 'HTTP_ERROR'
  | 'INVALID_RESPONSE'
  | 'INVALID_OPTIONS'

/** Data that a {@link NexusClientError} carries beside its message. */
export interface NexusClientErrorDetails {
  /** Base URL of the server, or of the request. */
  url?: string
  /** HTTP status, for `HTTP_ERROR`. */
  status?: number
  /** The server's words for `status`. */
  statusText?: string
  /** `error.code` and `error.message` of the server's answer. */
  serverCode?: string
  /** `error.message` of the server's answer. */
  serverMessage?: string
  /** What the failure came from, such as the error of `fetch`. */
  cause?: unknown
}

/** Every failure of the client, told apart by `code`. */
export class NexusClientError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'NexusClientError'
  /** Stable, for programs. */
  readonly code: NexusClientErrorCode
  /** Base URL of the server, or of the request. */
  readonly url: string | undefined
  /** HTTP status, for `HTTP_ERROR`. */
  readonly status: number | undefined
  /** The server's words for `status`. */
  readonly statusText: string | undefined
  /** `error.code` of the server's answer. */
  readonly serverCode: string | undefined
  /** `error.message` of the server's answer. */
  readonly serverMessage: string | undefined

  constructor(
    code: NexusClientErrorCode,
    message: string,
    { cause, url, status, statusText, serverCode, serverMessage }: NexusClientErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.url = url
    this.status = status
    this.statusText = statusText
    this.serverCode = serverCode
    this.serverMessage = serverMessage
  }
}
