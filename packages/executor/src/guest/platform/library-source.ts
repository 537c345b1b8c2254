import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * Source of an expression that runs a library in the guest and gives what it exports.
 *
 * @param specifier a package whose CommonJS or UMD build needs no other file
 */
export function librarySource(specifier: string): string {
  const path = createRequire(import.meta.url).resolve(specifier)
  const text = readFileSync(path, 'utf8')
  return `(() => { const exports = {}; const module = { exports }; ${text}; return module.exports })()`
}
