import { basename } from 'node:path'
import type { ImportGate, ImportSource, Located } from '../import-gate.js'
import { ImportRefusal } from '../import-refusal.js'
import { hasTooManyTokens, textOf, tooManyTokens } from '../json-size.js'

/** The calls of `node:fs` that a resolver makes, answered by the gate. */
export class GateFileSystem {
  readonly #gate: ImportGate
  readonly #json = new Map<string, object>()
  #from: ImportSource
  #refusal: ImportRefusal | undefined
  #manifestRefusal: ImportRefusal | undefined

  constructor(gate: ImportGate) {
    this.#gate = gate
    this.#from = { directory: gate.root.directory, zone: gate.root }
  }

  /** Look on behalf of the file that an import is in, until the next call. */
  lookFrom(from: ImportSource): void {
    this.#from = from
    this.#refusal = undefined
    this.#manifestRefusal = undefined
  }

  /** Why a `package.json` on the way was not read, if it was refused: without it, another file would be found. */
  get manifestRefusal(): ImportRefusal | undefined {
    return this.#manifestRefusal
  }

  /** Why something that the resolver asked for was not there for it, if the gate was the reason. */
  get refusal(): ImportRefusal | undefined {
    return this.#refusal
  }

  statSync = (path: string): { isFile(): boolean; isDirectory(): boolean } => {
    const { kind } = this.#locate(path)
    return { isFile: () => kind === 'file', isDirectory: () => kind === 'directory' }
  }

  readFileSync = (path: string): Buffer => this.#read(this.#locate(path))

  readJsonSync = (path: string): object => {
    const located = this.#locate(path)
    let json = this.#json.get(located.path)
    if (!json) {
      json = this.#noting(located.path, () => parseJson(this.#gate.readManifest(located)))
      this.#json.set(located.path, json)
    }
    return json
  }

  /** The gate follows links, and a resolver needs no listing. */
  readlinkSync = (path: string): string => {
    throw notFound(path)
  }

  readdirSync = (path: string): string[] => {
    throw notFound(path)
  }

  #locate(path: string): Located {
    return this.#noting(path, () => {
      const located = this.#gate.locate(path, this.#from)
      if (located) return located
      if (!this.#gate.mayLookAt(path, this.#from) && !isProbe(path)) {
        throw new ImportRefusal('outside')
      }
      throw notFound(path)
    })
  }

  #read(located: Located): Buffer {
    return this.#noting(located.path, () => this.#gate.readManifest(located))
  }

  /** To the resolver, what is refused is not there. */
  #noting<T>(path: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof ImportRefusal)) throw error
      this.#refusal ??= error
      // A search upwards passes hidden directories, such as a store, which have no package.json of their own.
      if (basename(path) === 'package.json' && error.rule !== 'hidden') {
        this.#manifestRefusal ??= error
      }
      throw notFound(path)
    }
  }
}

/** What every resolution asks for in each directory above: it says nothing of what the author wrote. */
function isProbe(path: string): boolean {
  return basename(path) === 'package.json' || basename(path) === 'node_modules'
}

/** A `package.json` that is not an object, or no JSON at all, says nothing; its text must not reach an error. */
function parseJson(content: Buffer): object {
  const text = textOf(content)
  if (hasTooManyTokens(text)) throw tooManyTokens()
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  } catch {
    // As good as empty.
  }
  return {}
}

function notFound(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
}
