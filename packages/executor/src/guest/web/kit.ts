/** What the web APIs of the guest get from the prelude: functions it took before any handler ran. */
export interface GuestKit {
  /**
   * Asks the host to fetch; the promise settles when it answers, or with the reason of `signal`
   * when that aborts first.
   */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchResponse>
  setTimeout(callback: () => void, delayMs: number): number
  /** Logs an error that is not caught. */
  report(error: unknown): void
}

/** A fetch as it crosses to the host. */
export interface FetchRequest {
  url: string
  method: string
  headers: [name: string, value: string][]
  body: Uint8Array | undefined
  redirect: RequestRedirect
}

/** A fetch's answer as it crosses to the guest. */
export interface FetchResponse {
  url: string
  status: number
  statusText: string
  redirected: boolean
  headers: [name: string, value: string][]
  body: Uint8Array
}
