/**
 * Who may import whom, as ARCHITECTURE.md draws it: each package with the packages directly below it.
 * A package may import everything below it along these arrows. Every package may import `metrics` and `diagnostics`.
 */
export const arrows = {
  diagnostics: [],
  metrics: [],
  profiler: [],
  'process-manager': [],
  client: [],
  'compile-cache': [],
  'instance-pool': [],
  executor: ['compile-cache', 'instance-pool'],
  'event-bus': [],
  'event-bus-nats': ['event-bus'],
  'event-bus-redis': ['event-bus'],
  functions: ['executor', 'event-bus'],
  server: ['functions'],
  runtime: ['server', 'event-bus-nats', 'event-bus-redis', 'profiler', 'process-manager', 'client'],
  cli: ['runtime'],
}

/** The short names of the packages that `name` may import. */
export function allowedImports(name) {
  const allowed = new Set(['diagnostics', 'metrics'])
  const visit = (below) => {
    for (const next of arrows[below] ?? []) {
      allowed.add(next)
      visit(next)
    }
  }
  visit(name)
  if (name === 'diagnostics') allowed.clear()
  allowed.delete(name)
  return allowed
}

/**
 * What one package imports against the rules, as sentences.
 *
 * @param {{ name: string, manifest: object, sources: { file: string, text: string }[] }} pkg
 *   the short name, the parsed package.json, and every source file that is not a test
 * @returns {string[]}
 */
export function wrongImports({ name, manifest, sources }) {
  if (!arrows[name])
    return [`${name} is not in tools/import-rules.mjs: say there what it may import`]
  const allowed = allowedImports(name)
  // A package that only brings a command is bundled, so what it imports may be a development dependency.
  const fields = ['dependencies', 'peerDependencies', 'optionalDependencies']
  if (!manifest.exports?.['.']) fields.push('devDependencies')
  const declared = new Set(
    fields
      .flatMap((field) => Object.keys(manifest[field] ?? {}))
      .filter((dependency) => dependency.startsWith('@nexus/') && dependency !== '@nexus/test-kit')
      .map((dependency) => dependency.slice('@nexus/'.length)),
  )
  const problems = [...declared]
    .filter((dependency) => !allowed.has(dependency))
    .map((dependency) => `package.json of ${name} depends on ${dependency}, which no arrow allows`)
  for (const { file, text } of sources) {
    for (const dependency of importsOf(text)) {
      if (dependency === name || (allowed.has(dependency) && declared.has(dependency))) continue
      const rule = allowed.has(dependency)
        ? 'package.json does not name it under dependencies'
        : 'no arrow allows it'
      problems.push(`${file} imports @nexus/${dependency}: ${rule}`)
    }
  }
  return problems
}

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)['"]@nexus\/([a-z-]+)/g

function importsOf(text) {
  const code = text.replace(/^\s*(\*|\/\/).*$/gm, '')
  return new Set([...code.matchAll(importPattern)].map(([, name]) => name))
}
