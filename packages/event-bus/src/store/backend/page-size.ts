/** Bytes of events in one page where the query says nothing. */
export const DEFAULT_PAGE_BYTES = 4 * 1024 * 1024

/** Counts the bytes of a page: it is full once it has as many as it may, so it always takes one entry. */
export class PageSize {
  readonly #most: number
  #bytes = 0

  /** @param maxPageBytes UTF-8 bytes of JSON */
  constructor(maxPageBytes: number = DEFAULT_PAGE_BYTES) {
    this.#most = maxPageBytes
  }

  /** Whether the page may take no further entry. */
  get isFull(): boolean {
    return this.#bytes >= this.#most
  }

  /** Counts one entry: its JSON text, and what else of it the page shows. */
  add(json: string, ...further: unknown[]): void {
    this.#bytes += Buffer.byteLength(json)
    for (const value of further) {
      if (value !== undefined) this.#bytes += Buffer.byteLength(JSON.stringify(value))
    }
  }
}
