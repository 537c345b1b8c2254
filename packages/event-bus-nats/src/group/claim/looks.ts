/** What is known of a message, read before its turn comes. */
export interface Look<Known = unknown> {
  read(): Promise<Known>
  /** The message had its turn. */
  end(): void
}

/**
 * Reads what is known of messages as they arrive, so that those of one pull cost one round trip together and not one each.
 * What is in hand changes until its turn comes: a second message about the same is read then.
 */
export class Looks<Message, Known> {
  readonly #keyOf: (message: Message) => number
  readonly #isInHand: (key: number) => boolean
  readonly #read: (message: Message) => Promise<Known>
  readonly #looking = new Set<number>()

  constructor(
    keyOf: (message: Message) => number,
    isInHand: (key: number) => boolean,
    read: (message: Message) => Promise<Known>,
  ) {
    this.#keyOf = keyOf
    this.#isInHand = isInHand
    this.#read = read
  }

  begin(message: Message): Look<Known> {
    const key = this.#keyOf(message)
    if (this.#isInHand(key) || this.#looking.has(key)) {
      return { read: () => this.#read(message), end: () => {} }
    }
    this.#looking.add(key)
    const known = this.#read(message)
    // Its failure is told when its turn comes, if it comes.
    known.catch(() => {})
    return { read: () => known, end: () => this.#looking.delete(key) }
  }
}
