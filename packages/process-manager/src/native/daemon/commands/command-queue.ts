/** Runs the commands for one name one after the other, in the order they came, and those for different names at once. */
export class CommandQueue {
  /** By name, the commands that have not ended: the first one runs. */
  readonly #commands = new Map<string, Command[]>()

  /** @param action gets a signal that aborts when a command behind it is in a hurry */
  run<T>(name: string, action: (hurry: AbortSignal) => Promise<T>): Promise<T> {
    const commands = this.#commands.get(name) ?? []
    this.#commands.set(name, commands)
    const hurry = new AbortController()
    const before = commands.at(-1)?.ended
    const result =
      before === undefined ? action(hurry.signal) : before.then(() => action(hurry.signal))
    const command: Command = {
      hurry,
      ended: result.then(
        () => {},
        () => {},
      ),
    }
    commands.push(command)
    void command.ended.then(() => {
      commands.shift()
      if (commands.length === 0) this.#commands.delete(name)
    })
    return result
  }

  /** Lets everything queued for a name so far know after a while that it must not keep the queue waiting. */
  hurry(name: string, afterMs: number, reason: Error): void {
    const ahead = [...(this.#commands.get(name) ?? [])]
    if (ahead.length === 0) return
    const timer = setTimeout(() => {
      for (const { hurry } of ahead) hurry.abort(reason)
    }, afterMs)
    void ahead.at(-1)?.ended.then(() => clearTimeout(timer))
  }
}

interface Command {
  hurry: AbortController
  ended: Promise<void>
}
