import { compileScript } from '@nexus/instance-pool'
import type { PartName } from '../guest/platform/part.js'
import { PARTS, withNeeds } from '../guest/platform/parts.js'
import type { PartBytecodes } from './part-installer.js'

/** Compiles the parts of the platform that the handlers of a thread use, each once. */
export class PartCompiler {
  readonly #compiled = new Map<PartName, Uint8Array>()
  readonly #compiling = new Map<PartName, Promise<void>>()

  /** What was compiled so far. */
  get compiled(): PartBytecodes {
    return this.#compiled
  }

  /** Compiles these parts and all that they may ask for while they run. */
  async compile(names: Iterable<PartName>): Promise<void> {
    await Promise.all([...withNeeds(names)].map((name) => this.#compile(name)))
  }

  #compile(name: PartName): Promise<void> {
    let compiling = this.#compiling.get(name)
    if (!compiling) {
      compiling = compileScript(`'use strict';(${PARTS[name].source()})`).then((bytecode) => {
        this.#compiled.set(name, bytecode)
      })
      this.#compiling.set(name, compiling)
      compiling.catch(() => this.#compiling.delete(name))
    }
    return compiling
  }
}
