import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CompileError } from '../errors.js'
import { PLATFORM_URL } from '../platform-url.js'

interface Manifest {
  /** Changes with every byte of the modules. */
  version: string
  /** Their names, without `node:`. */
  modules: string[]
}

/** The modules of Node that the sandbox has, as texts that this package brings along. */
export class PlatformModules {
  readonly #manifest: Manifest
  readonly #names: ReadonlySet<string>
  readonly #texts = new Map<string, string>()

  /** @throws CompileError INTERNAL_ERROR when the package was not built */
  constructor() {
    this.#manifest = JSON.parse(readBuilt('modules.json'))
    this.#names = new Set(this.#manifest.modules)
  }

  get version(): string {
    return this.#manifest.version
  }

  /** Whether there is a module that a program names so, with or without `node:`. */
  nameOf(specifier: string): string | undefined {
    const name = specifier.replace(/^node:/, '')
    return this.#names.has(name) ? name : undefined
  }

  /**
   * The text of a built file.
   *
   * @param path relative to the folder of the modules, with `/`
   */
  read(path: string): string {
    let text = this.#texts.get(path)
    if (text === undefined) {
      text = readBuilt(path)
      this.#texts.set(path, text)
    }
    return text
  }
}

let modules: PlatformModules | undefined

/** The modules, which are read with the first use. */
export function platformModules(): PlatformModules {
  modules ??= new PlatformModules()
  return modules
}

function readBuilt(path: string): string {
  const file = fileURLToPath(new URL(path, PLATFORM_URL))
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CompileError(
      'INTERNAL_ERROR',
      `Node's modules for handlers are missing, ${file}: build @nexus/compile-cache (pnpm --filter @nexus/compile-cache build), or keep its dist folder beside a bundle`,
      { cause },
    )
  }
}
