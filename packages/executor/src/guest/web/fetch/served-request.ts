/** A request that a handler answers, as it crosses to the sandbox. */
export interface IncomingRequest {
  /** Such as `GET`. */
  method: string
  /** Absolute. */
  url: string
  /** Names and values; a name may come several times. */
  headers: readonly (readonly [name: string, value: string])[]
  /** The body as base64; absent where there is none. */
  body?: string
  /** What stands in the path for its parameters: `ctx.params`. */
  params?: Readonly<Record<string, string>>
}

/** A part of the response: the head comes once, first, alone or with the first bytes of the body. */
export interface ResponsePart {
  /** Status line and headers. */
  head?: {
    status: number
    statusText: string
    headers: [name: string, value: string][]
  }
  /** What comes next of the body. */
  bytes?: Uint8Array
}
