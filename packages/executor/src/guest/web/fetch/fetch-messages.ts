/** A fetch as it crosses to the host. */
export interface FetchRequest {
  url: string
  method: string
  headers: [name: string, value: string][]
  body: Uint8Array | undefined
  /** The body comes in parts, and `body` is undefined. */
  streams?: true | undefined
  redirect: RequestRedirect
}

/** Bytes of an answer's body that have arrived. */
export interface BodyChunk {
  bytes: Uint8Array
  /** Whether nothing comes after them. */
  ended: boolean
}

/** A fetch's answer as it crosses to the guest: with what of its body is there at that moment. */
export interface FetchResponse extends Omit<BodyChunk, 'bytes'> {
  url: string
  status: number
  statusText: string
  redirected: boolean
  headers: [name: string, value: string][]
  body: Uint8Array
}
