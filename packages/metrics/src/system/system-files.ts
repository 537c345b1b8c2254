import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files in which Linux tells about itself, below a root. */
export class SystemFiles {
  readonly #root: string

  /** @param root directory that stands for `/` */
  constructor(root: string) {
    this.#root = root
  }

  /** The text of a file; undefined when it is not there or may not be read. */
  text(...path: string[]): string | undefined {
    try {
      return readFileSync(join(this.#root, ...path), 'utf8')
    } catch {
      return undefined
    }
  }

  /** The number in a file; undefined when there is none, such as `max`. */
  number(...path: string[]): number | undefined {
    const text = this.text(...path)?.trim()
    return text && /^\d+$/.test(text) ? Number(text) : undefined
  }

  /** The number behind a name, in a file of `name value` or `name: value` lines. */
  field(name: string, ...path: string[]): number | undefined {
    const value = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(this.text(...path) ?? '')?.[1]
    return value === undefined ? undefined : Number(value)
  }

  /** The names in a directory. */
  names(...path: string[]): string[] {
    try {
      return readdirSync(join(this.#root, ...path))
    } catch {
      return []
    }
  }
}
