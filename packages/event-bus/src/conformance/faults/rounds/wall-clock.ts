import { existsSync, writeFileSync } from 'node:fs'

/** Where Debian's package `libfaketime` puts the library; `NEXUS_LIBFAKETIME` says another place. */
const LIBRARY =
  process.env.NEXUS_LIBFAKETIME ?? '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

/** Steps of a wall clock against the machine's. */
const STEPS = ['+0', '+2h', '-1h', '+3d', '-20m', '+45']

/** Whether processes can be given a wall clock of their own. */
export function hasFakeTime(): boolean {
  return existsSync(LIBRARY)
}

/** The wall clock of another process, in a file that the process reads; time passes as it does. */
export class WallClock {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
    this.#write(STEPS[0]!)
  }

  /** The environment that makes a process use this clock; empty where libfaketime is not installed. */
  get environment(): Record<string, string> {
    if (!hasFakeTime()) return {}
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    }
  }

  /** Sets the clock back or forward. */
  step(random: () => number): void {
    this.#write(STEPS[Math.floor(random() * STEPS.length)]!)
  }

  #write(step: string): void {
    writeFileSync(this.#file, `${step}\n`)
  }
}
