/** What the daemon cannot do at the moment: each said once, until it works again. */
export class Warnings {
  readonly #current = new Map<string, string>()

  constructor(private readonly write: (line: string) => void) {}

  /** Runs something that may fail for reasons outside, such as a full disk; answers whether it worked. */
  attempt(what: string, action: () => void): boolean {
    try {
      action()
    } catch (error) {
      this.warn(what, error)
      return false
    }
    this.clear(what)
    return true
  }

  warn(what: string, error: unknown): void {
    if (this.#current.has(what)) return
    const line = `could not ${what}: ${error instanceof Error ? error.message : String(error)}`
    this.#current.set(what, line)
    this.write(line)
  }

  clear(what: string): void {
    if (this.#current.delete(what)) this.write(`can ${what} again`)
  }

  list(): string[] {
    return [...this.#current.values()]
  }
}
