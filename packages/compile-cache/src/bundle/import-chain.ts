import type { Metafile } from 'esbuild'

/**
 * The shortest way from the entry of a bundle to `importer`, and from there to `specifier`.
 *
 * @returns `a.ts → b.ts → specifier`, or undefined when nothing leads there
 */
export function describeImportChain(
  metafile: Metafile,
  importer: string,
  specifier: string,
): string | undefined {
  const entry = Object.values(metafile.outputs).find((output) => output.entryPoint)?.entryPoint
  if (entry === undefined) return undefined
  const from = new Map<string, string | undefined>([[entry, undefined]])
  // A Map iterates over what is added meanwhile: breadth first.
  for (const [file] of from) {
    if (file === importer) return [...pathTo(file, from), specifier].join(' → ')
    for (const { path } of metafile.inputs[file]?.imports ?? []) {
      if (!from.has(path)) from.set(path, file)
    }
  }
  return undefined
}

function pathTo(file: string, from: Map<string, string | undefined>): string[] {
  const path: string[] = []
  for (let at: string | undefined = file; at !== undefined; at = from.get(at)) path.unshift(at)
  return path
}
