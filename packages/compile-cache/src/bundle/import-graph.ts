/** Which module of a bundle imports which, to tell which imports lead to one of them. */
export class ImportGraph {
  /** Name of the module that the bundle begins with. */
  entry: string | undefined
  readonly #imports = new Map<string, Set<string>>()

  /** Take note that `importer` imports `imported`. */
  add(importer: string, imported: string): void {
    const known = this.#imports.get(importer)
    if (known) known.add(imported)
    else this.#imports.set(importer, new Set([imported]))
  }

  /**
   * The shortest way from the entry to `importer`, and from there to `specifier`.
   *
   * @returns `a.ts → b.ts → specifier`, or undefined when nothing leads there
   */
  describeChain(importer: string, specifier: string): string | undefined {
    if (this.entry === undefined) return undefined
    const cameFrom = new Map<string, string | undefined>([[this.entry, undefined]])
    // A Map iterates over what is added meanwhile: breadth first.
    for (const [module] of cameFrom) {
      if (module === importer) return [...pathTo(module, cameFrom), specifier].join(' → ')
      for (const imported of this.#imports.get(module) ?? []) {
        if (!cameFrom.has(imported)) cameFrom.set(imported, module)
      }
    }
    return undefined
  }
}

function pathTo(module: string, cameFrom: Map<string, string | undefined>): string[] {
  const path: string[] = []
  for (let at: string | undefined = module; at !== undefined; at = cameFrom.get(at))
    path.unshift(at)
  return path
}
