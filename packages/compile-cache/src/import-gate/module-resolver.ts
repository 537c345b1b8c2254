import { dirname, extname, isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import enhancedResolve, { type Resolver } from 'enhanced-resolve'
import { wantsServerBuild } from '../platform/server-builds.js'
import { GateFileSystem } from './files/gate-file-system.js'
import { isWithin } from './files/path-parts.js'
import type { ImportGate, ImportSource, Located } from './import-gate.js'
import { ImportRefusal } from './import-refusal.js'
import { hasSideEffects } from './side-effects.js'
import type { TypeScriptConfig } from './typescript-config.js'

/** What a specifier leads to: a file, nothing (a package maps it to `false`), or undefined when not found. */
export type ResolvedModule =
  | { located: Located; sideEffects: boolean }
  | { located: 'disabled' }
  | undefined

/** TypeScript is imported by the name of the JavaScript that it would become. */
const TYPESCRIPT_NAMES: Record<string, readonly string[]> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx', '.ts'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
}

/** In packages a file that was built wins over its source. */
const EXTENSIONS = ['.tsx', '.ts', '.jsx', '.js', '.json']
const PACKAGE_EXTENSIONS = ['.jsx', '.js', '.json', '.tsx', '.ts']

/** Neither a browser nor Node: `browser` is the platform whose packages ask for the least. */
const CONDITIONS = ['browser', 'worker', 'module', 'default']
const SERVER_CONDITIONS = ['node', 'module', 'default']

/**
 * Steps that finding one module may take. An ordinary import takes some hundred; a `package.json` whose maps lead to each
 * other can take any number, on the thread that everything else waits for.
 */
const MAX_STEPS = 5_000

/** Longest specifier, in UTF-16 code units: no longer path exists on Linux. */
const MAX_SPECIFIER_LENGTH = 4096

/** Most names between the slashes of a specifier, or of what it is mapped to. */
const MAX_NAMES_OF_SPECIFIER = 200

/** How a module is looked for. */
interface Way {
  style: 'import' | 'require'
  /** `mapped`: not in `node_modules`. */
  reach: 'anywhere' | 'mapped'
  /** Whether what packages say of browsers counts. */
  build: 'browser' | 'server'
}

/**
 * A package's file for browsers that needs a DOM, which no sandbox has, beside one for everything else: the AWS clients read XML
 * with `DOMParser` there.
 */
const DOM_FILE = /([\\/]@aws-sdk[\\/]xml-builder[\\/]dist-es[\\/]xml-parser)\.browser\.js$/

function withoutDom(path: string): string {
  return path.replace(DOM_FILE, '$1.js')
}

interface Found {
  path: string
  packageJson: object | undefined
  packageDirectory: string | undefined
}

/** Finds what imports name, as Node and TypeScript do, seeing only what the gate lets through. */
export class ModuleResolver {
  readonly #gate: ImportGate
  readonly #fileSystem: GateFileSystem
  readonly #resolvers = new Map<string, Resolver>()
  #stepsLeft = 0

  constructor(gate: ImportGate) {
    this.#gate = gate
    this.#fileSystem = new GateFileSystem(gate)
  }

  /**
   * Find the module that `specifier` names.
   *
   * @param style how it is imported; packages may have a file for each
   * @param config of TypeScript, whose path aliases hold for files of the import root
   * @throws ImportRefusal
   */
  resolve(
    specifier: string,
    from: ImportSource,
    style: 'import' | 'require',
    config: TypeScriptConfig,
  ): ResolvedModule {
    return this.#search(specifier, from, { style, reach: 'anywhere' }, config)
  }

  /**
   * Find what the author maps a name to, by `paths` of TypeScript or by `browser` of a package; no package of that name is looked
   * for.
   *
   * @throws ImportRefusal
   */
  resolveMapped(
    specifier: string,
    from: ImportSource,
    style: 'import' | 'require',
    config: TypeScriptConfig,
  ): ResolvedModule {
    return this.#search(specifier, from, { style, reach: 'mapped' }, config)
  }

  #search(
    specifier: string,
    from: ImportSource,
    how: Pick<Way, 'style' | 'reach'>,
    config: TypeScriptConfig,
  ): ResolvedModule {
    if (!isSpecifier(specifier)) throw new ImportRefusal('specifier')
    const request = specifier.startsWith('file:') ? pathOfUrl(specifier) : specifier
    const isPath = /^\.{0,2}[\\/]|^\.{1,2}$/.test(request) || isAbsolute(request)
    if (isPath && !isWithin(from.zone.directory, resolve(from.directory, request))) {
      throw new ImportRefusal('outside')
    }
    const build = wantsServerBuild(request, from.directory) ? 'server' : 'browser'
    const way: Way = { ...how, build }
    this.#fileSystem.lookFrom(from)
    this.#gate.beginSearch()
    this.#stepsLeft = MAX_STEPS
    let leadsOutside = false
    const aliases = isPath || from.zone.kind === 'package' ? [] : config.aliasesOf(request)
    for (const alias of aliases) {
      this.#takeStep()
      if (!isWithin(from.zone.directory, alias)) leadsOutside = true
      else {
        const module = this.#resolve(alias, from, way)
        if (module) return module
      }
    }
    const module = this.#resolve(request, from, way)
    if (module || way.reach === 'mapped') return module
    if (this.#fileSystem.refusal) throw this.#fileSystem.refusal
    if (leadsOutside) throw new ImportRefusal('outside')
    return undefined
  }

  #resolve(request: string, from: ImportSource, way: Way): ResolvedModule {
    // The resolver makes a text of each directory above the path.
    if (request.split(/[\\/]/, MAX_NAMES_OF_SPECIFIER + 1).length > MAX_NAMES_OF_SPECIFIER) {
      throw new ImportRefusal('resolve-steps', `expected at most ${MAX_NAMES_OF_SPECIFIER} names`)
    }
    const found = this.#find(request, from, way)
    if (this.#stepsLeft < 0 || this.#gate.isSearchOver) throw new ImportRefusal('resolve-steps')
    if (this.#fileSystem.manifestRefusal) throw this.#fileSystem.manifestRefusal
    if (found === 'disabled') return { located: found }
    const located = found && this.#gate.locate(withoutDom(found.path), from)
    return located && { located, sideEffects: hasSideEffects(found) }
  }

  #takeStep(): void {
    if (--this.#stepsLeft < 0) throw new ImportRefusal('resolve-steps')
  }

  #find(request: string, from: ImportSource, way: Way): Found | 'disabled' | undefined {
    const resolver = this.#resolverFor(way, from.zone.kind)
    const found = attempt(resolver, from.directory, request)
    if (found) return found
    const extension = extname(request)
    for (const other of TYPESCRIPT_NAMES[extension] ?? []) {
      const renamed = attempt(resolver, from.directory, request.slice(0, -extension.length) + other)
      if (renamed) return renamed
    }
    return undefined
  }

  #resolverFor({ style, reach, build }: Way, kind: 'root' | 'package'): Resolver {
    const id = `${style} ${kind} ${reach} ${build}`
    const browserFields = build === 'browser' ? ['browser'] : []
    let resolver = this.#resolvers.get(id)
    if (!resolver) {
      resolver = enhancedResolve.ResolverFactory.createResolver({
        fileSystem: this.#fileSystem as never,
        useSyncFileSystemCalls: true,
        symlinks: false, // the gate follows them
        unsafeCache: false,
        extensions: kind === 'root' ? EXTENSIONS : PACKAGE_EXTENSIONS,
        conditionNames: [style, ...(build === 'browser' ? CONDITIONS : SERVER_CONDITIONS)],
        // A package that is required may export a function, which its ES module cannot be.
        mainFields:
          style === 'import'
            ? [...browserFields, 'module', 'main']
            : [...browserFields, 'main', 'module'],
        aliasFields: browserFields,
        pnpApi: null,
        ...(reach === 'mapped' ? { modules: [] } : {}),
      })
      resolver.hooks.resolveStep.tap('step budget', () => this.#takeStep())
      this.#resolvers.set(id, resolver)
    }
    return resolver
  }
}

function attempt(
  resolver: Resolver,
  directory: string,
  request: string,
): Found | 'disabled' | undefined {
  let answer: Found | 'disabled' | undefined
  try {
    resolver.resolve({}, directory, request, {}, (error, path, module) => {
      if (error) return
      if (path === false) answer = 'disabled'
      else if (module && typeof module.path === 'string') {
        answer = {
          path: module.path,
          packageJson: module.descriptionFileData as object | undefined,
          packageDirectory: module.descriptionFilePath && dirname(module.descriptionFilePath),
        }
      }
    })
  } catch (error) {
    // Maps that lead to each other end the stack of this thread before the steps are used up.
    if (error instanceof RangeError) throw new ImportRefusal('resolve-steps')
    throw error
  }
  return answer
}

function isSpecifier(specifier: string): boolean {
  return specifier !== '' && specifier.length <= MAX_SPECIFIER_LENGTH && !specifier.includes('\0')
}

function pathOfUrl(specifier: string): string {
  try {
    return fileURLToPath(specifier)
  } catch {
    throw new ImportRefusal('specifier')
  }
}
