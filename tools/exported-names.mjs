import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LIST = /export (?:type )?\{([^}]*)\}(?: from '([^']+)')?/g
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm

/**
 * The names that a source file exports, each with the package that it passes on from, if it does.
 *
 * @param {string} source an index file: re-exports by name, and declarations of its own
 * @returns {Map<string, string | undefined>}
 */
export function exportedNames(source) {
  const names = new Map()
  for (const [, list, from] of source.matchAll(LIST)) {
    const passedOnFrom = from?.startsWith('.') ? undefined : from
    for (const item of list.split(',')) {
      const [name, alias] = item.replace(/^\s*type\s+/, '').split(/\s+as\s+/)
      if (name.trim() !== '') names.set((alias ?? name).trim(), passedOnFrom)
    }
  }
  for (const [, name] of source.matchAll(DECLARATION)) names.set(name, undefined)
  return names
}

/**
 * Names that more than one package exports as its own. A name that a package passes on from another is one name.
 *
 * @param {readonly { name: string, source: string }[]} entries the index files, each with the name of its package
 * @returns {Map<string, string[]>} the packages by name
 */
export function namesOfSeveralPackages(entries) {
  const owners = new Map()
  for (const entry of entries) {
    for (const [name, from] of exportedNames(entry.source)) {
      const owner = from ?? entry.name
      owners.set(name, (owners.get(name) ?? new Set()).add(owner))
    }
  }
  return new Map(
    [...owners].filter(([, set]) => set.size > 1).map(([name, set]) => [name, [...set].sort()]),
  )
}

/**
 * The source of each entry of each package.
 *
 * @param {string} root of the repository
 * @returns {{ name: string, source: string }[]}
 */
export function packageEntries(root) {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const manifest = join(root, 'packages', folder, 'package.json')
    if (!existsSync(manifest)) return []
    const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
    return Object.values(exports).flatMap((entry) => {
      const file = entry['@nexus/source']
      if (file === undefined) return []
      return [{ name, source: readFileSync(join(root, 'packages', folder, file), 'utf8') }]
    })
  })
}
