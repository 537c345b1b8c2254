/** What has to be undone, last things first. */
export class Teardown {
  readonly #steps: (() => unknown)[] = []
  #running: Promise<void> | undefined

  /** Adds what undoes the step just taken. */
  add(undo: () => unknown): void {
    this.#steps.push(undo)
  }

  /** Undoes everything, once; a step that fails does not keep the others from being undone. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    const failures: unknown[] = []
    for (const undo of this.#steps.reverse()) {
      try {
        await undo()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
