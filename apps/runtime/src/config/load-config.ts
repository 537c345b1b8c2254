import { readFile, stat } from 'node:fs/promises'
import { dirname, extname, resolve, sep } from 'node:path'
import type { DataKeyOptions } from '@nexus/event-bus'
import type { ImageKeyOptions } from '@nexus/executor'
import { type FunctionEntry, failureProblem } from '@nexus/functions'
import { isLoopback, type NamedWebhook } from '@nexus/server'
import { assertEncrypts, type BusConfig, busConfig } from '../bus/bus-config.js'
import { RuntimeError } from '../errors.js'
import { ConfigError, displayPath, type Problem } from './diagnostics.js'
import { readEnvironment } from './environment.js'
import { type ParsedConfig, parseConfig } from './parse-config.js'
import { type PerformanceConfig, performanceConfig } from './performance-config.js'
import type { ConfigFile } from './schema.js'

/** One function, ready to be compiled and bound. */
export interface FunctionConfig extends Omit<FunctionEntry, ResolvedFunctionKey> {
  /** Absolute path of `source`. */
  file: string
  /** Absolute path of the directory whose files it may import; that of `file` when undefined. */
  importRoot?: string | undefined
  /** Time limit of one call, in milliseconds. */
  timeoutMs: number
  /** JSON Schema of the data of its events. */
  schema?: Record<string, unknown> | undefined
  /** The environment variables it may see and that are set. */
  env: Record<string, string>
  /** The same for `ctx.secrets`. */
  secrets: Record<string, string>
  /** Of a `.wasm` command: the path it opens, and the absolute path of the file. */
  files?: Record<string, string> | undefined
}

type ResolvedFunctionKey = 'env' | 'secrets' | 'timeoutMs' | 'files' | 'importRoot' | 'schema'

/** Keys of the file that a {@link RuntimeConfig} has in another shape. */
type ResolvedKey =
  | 'server'
  | 'webhooks'
  | 'bus'
  | 'importRoot'
  | 'cacheSecretEnv'
  | 'handlerTimeoutMs'
  | 'performance'
  | 'functions'

/** A configuration with flags, environment and file merged and every path absolute. */
export interface RuntimeConfig extends Omit<ConfigFile, ResolvedKey>, ServerFile {
  /** Absolute path of the file it came from. */
  file: string
  /** What clients must send; undefined when none is needed. */
  token: string | undefined
  /** Signed webhooks by name, with their secrets. */
  webhooks: Record<string, NamedWebhook>
  /** The bus to open. */
  bus: BusConfig
  /** Encrypts what the local bus keeps. */
  dataKey: DataKeyOptions | undefined
  /** Encrypts images of suspended calls. */
  imageKey: ImageKeyOptions | undefined
  /** Signs links that resume calls. */
  linkKey: ImageKeyOptions | undefined
  /** The secret that seals compiled handlers. */
  cacheSecret: string | undefined
  /** What the server measures of itself and of pages. */
  performance: PerformanceConfig
  /** The functions, with their files resolved. */
  functions: FunctionConfig[]
  /** What deserves attention although it does not stop the start. */
  warnings: string[]
}

type ServerFile = ConfigFile['server']

/** What a command line sets; it takes precedence over the environment and the file. */
export interface ConfigOverrides {
  /** Address to listen on. @default that of the environment or the file */
  host?: string
  /** Port to listen on; 0 takes a free one. @default that of the environment or the file */
  port?: number
}

/**
 * Reads `path`, checks it and everything it refers to, and merges flags, environment and file.
 *
 * @param needs hears the path of each file that the configuration names, before it is looked for
 * @throws RuntimeError `CONFIG_NOT_FOUND`, `CONFIG_INVALID` (with file:line:column), `TOKEN_REQUIRED`,
 * `SECRET_REQUIRED`
 */
export async function loadConfig(
  path: string,
  overrides: ConfigOverrides = {},
  env: NodeJS.ProcessEnv = process.env,
  needs: (file: string) => void = () => {},
): Promise<RuntimeConfig> {
  const file = resolve(path)
  const text = await readText(file)
  const mistakes: RuntimeError[] = []
  const environment = readEnvironment(env, mistakes)
  const parsed = parsedWith(mistakes, text, file)
  for (const named of namedFiles(parsed)) needs(resolve(dirname(file), named))
  const problems = await problemsOfFunctions(parsed, dirname(file))
  const schemas = await readSchemas(parsed, dirname(file), problems)

  const { config } = parsed
  const host = overrides.host ?? environment.host ?? config.server.host
  if (!isLoopback(host) && !env.NEXUS_TOKEN) {
    mistakes.push(
      new RuntimeError(
        'TOKEN_REQUIRED',
        `host ${host} can be reached from other machines: set NEXUS_TOKEN to a secret that clients must send, or listen on 127.0.0.1`,
      ),
    )
  }
  const beside = (relative: string) => resolve(dirname(file), relative)
  const { server, webhooks, bus, importRoot, cacheSecretEnv, handlerTimeoutMs, ...settings } =
    config
  const timeoutMs = environment.handlerTimeoutMs ?? handlerTimeoutMs
  const noting = <T>(read: () => T): T | undefined => noteMistake(mistakes, read)
  const webhooksWithSecrets = webhooksOf(webhooks, env, mistakes)
  const chosenBus = noting(() => busConfig(bus, environment.busUrl))
  if (chosenBus !== undefined && environment.dataKey !== undefined) {
    noting(() => assertEncrypts(chosenBus))
  }
  const cacheSecret = noting(() => cacheSecretOf(cacheSecretEnv, env))
  const [first] = mistakes
  // Mistakes of one kind keep their code.
  if (problems.length === 0 && first && mistakes.every(({ code }) => code === first.code)) {
    throw new RuntimeError(first.code, mistakes.map(({ message }) => message).join('\n\n'))
  }
  if (problems.length + mistakes.length > 0) {
    throw new ConfigError(file, problems, text, { elsewhere: mistakes })
  }
  return {
    ...settings,
    ...server,
    file,
    host,
    port: overrides.port ?? environment.port ?? server.port,
    token: environment.token,
    webhooks: webhooksWithSecrets,
    bus: chosenBus!,
    dataKey: environment.dataKey,
    imageKey: environment.imageKey,
    linkKey: environment.linkKey,
    dataDir: environment.dataDir ?? beside(config.dataDir),
    cacheDir: environment.cacheDir ?? beside(config.cacheDir),
    maxCacheSizeBytes: environment.maxCacheSizeBytes ?? config.maxCacheSizeBytes,
    cacheSecret,
    log: { level: environment.logLevel ?? config.log.level },
    performance: performanceConfig(config.performance, environment),
    functions: config.functions.map((entry, index) => ({
      ...entry,
      file: beside(entry.source),
      importRoot: importRootOf(entry.importRoot ?? importRoot, beside),
      timeoutMs: entry.timeoutMs ?? timeoutMs,
      schema: schemas[index],
      capabilities: [
        ...entry.capabilities,
        ...entry.env.map((name) => `env:${name}`),
        ...entry.secrets.map((name) => `secret:${name}`),
      ],
      env: pick(env, entry.env),
      secrets: pick(env, entry.secrets),
      files: entry.files && mapValues(entry.files, beside),
    })),
    warnings: warningsOf(config, env),
  }
}

/** The file's mistakes are told with those that are known already. */
function parsedWith(mistakes: readonly RuntimeError[], text: string, file: string): ParsedConfig {
  try {
    return parseConfig(text, file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const cause = error.cause === undefined ? {} : { cause: error.cause }
    throw new ConfigError(file, error.problems, text, { ...cause, elsewhere: mistakes })
  }
}

/** What `read` answers; undefined where it is refused, which is noted. */
function noteMistake<T>(mistakes: RuntimeError[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    mistakes.push(error)
    return undefined
  }
}

function importRootOf(
  importRoot: string | undefined,
  beside: (relative: string) => string,
): string | undefined {
  return importRoot === undefined ? undefined : beside(importRoot)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new RuntimeError(
      'CONFIG_NOT_FOUND',
      `${displayPath(file)}: ${why}; name the configuration with --config <file>`,
      { cause },
    )
  }
}

function namedFiles({ config: { functions } }: ParsedConfig): string[] {
  return functions.flatMap(({ source, schema, files = {} }) => [
    source,
    ...(typeof schema === 'string' ? [schema] : []),
    ...Object.values(files),
  ])
}

async function problemsOfFunctions(parsed: ParsedConfig, directory: string): Promise<Problem[]> {
  const problems: Problem[] = []
  const names = new Set<string>()
  const { functions, importRoot: commonRoot } = parsed.config
  for (const [index, entry] of functions.entries()) {
    const { name, source, importRoot, args, files } = entry
    const at = (key: string, message: string) =>
      problems.push(parsed.problemAt(['functions', index, key], message))
    if (names.has(name)) at('name', `a function named "${name}" exists already; names are unique`)
    names.add(name)
    if (!entry.events && !entry.schedule && !entry.http) {
      at('events', 'expected events, a schedule or http; [] where it is only invoked')
    }
    const failure = failureProblem(entry, functions)
    if (failure) at('onFailure', failure)
    const wrong = await problemOfSource(resolve(directory, source), source)
    if (wrong) at('source', wrong)
    const root = importRoot ?? commonRoot
    if (root !== undefined && !isBelow(resolve(directory, root), resolve(directory, source))) {
      at('source', `source ${source}: expected a file in importRoot ${root}`)
    }
    if (extname(source) !== '.wasm') {
      if (args) at('args', `args: only a .wasm function takes arguments, not ${source}`)
      if (files) at('files', `files: only a .wasm function is given files, not ${source}`)
    }
    for (const path of Object.values(files ?? {})) {
      const missing = await problemOfFile(resolve(directory, path), 'file')
      if (missing) at('files', missing)
    }
  }
  return problems
}

function isBelow(directory: string, path: string): boolean {
  return path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
}

async function problemOfSource(file: string, source: string): Promise<string | undefined> {
  if (!['.js', '.mjs', '.ts', '.mts', '.wasm'].includes(extname(file))) {
    return `source ${source}: expected a .js, .ts or .wasm file`
  }
  return problemOfFile(file, 'source file')
}

async function problemOfFile(file: string, what: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return `${what} not found: ${displayPath(file)}`
  return found.isFile() ? undefined : `${what} is not a regular file: ${displayPath(file)}`
}

/** The JSON Schema of each function that has one, in their order; what is wrong goes to `problems`. */
async function readSchemas(
  { config, problemAt }: ParsedConfig,
  directory: string,
  problems: Problem[],
): Promise<FunctionConfig['schema'][]> {
  const read = config.functions.map(async ({ schema }, index) => {
    if (typeof schema !== 'string') return schema
    try {
      return readSchema(await readFile(resolve(directory, schema), 'utf8'))
    } catch (error) {
      const why =
        (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? 'there is no such file'
          : (error as Error).message
      problems.push(problemAt(['functions', index, 'schema'], `schema ${schema}: ${why}`))
      return undefined
    }
  })
  return Promise.all(read)
}

function readSchema(text: string): Record<string, unknown> {
  const schema: unknown = JSON.parse(text)
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) {
    return schema as Record<string, unknown>
  }
  throw new Error('expected a JSON Schema: an object')
}

function webhooksOf(
  webhooks: ConfigFile['webhooks'],
  env: NodeJS.ProcessEnv,
  mistakes: RuntimeError[],
): RuntimeConfig['webhooks'] {
  return mapValues(webhooks, ({ secrets, ...webhook }, name) => {
    const [first, ...more] = secrets.map((variable) => {
      const secret = env[variable] ?? ''
      if (secret === '') {
        mistakes.push(
          new RuntimeError(
            'SECRET_REQUIRED',
            `webhooks.${name}: environment variable ${variable} holds no secret; set it, or remove it from secrets`,
          ),
        )
      }
      return secret
    })
    const named: NamedWebhook = { ...webhook, secrets: [first!, ...more] }
    return named
  })
}

function cacheSecretOf(
  cacheSecretEnv: string | undefined,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const variable = cacheSecretEnv ?? 'NEXUS_CACHE_SECRET'
  const secret = env[variable]
  if (!secret) {
    if (cacheSecretEnv === undefined) return undefined
    throw new RuntimeError(
      'SECRET_REQUIRED',
      `cacheSecretEnv: environment variable ${variable} holds no secret; set it, or remove cacheSecretEnv`,
    )
  }
  if (Buffer.byteLength(secret) < 16) {
    throw new RuntimeError(
      'CONFIG_INVALID',
      `environment variable ${variable}: expected at least 16 characters`,
    )
  }
  return secret
}

function warningsOf({ functions }: ConfigFile, env: NodeJS.ProcessEnv): string[] {
  return functions.flatMap((entry) =>
    [...entry.env, ...entry.secrets]
      .filter((name) => env[name] === undefined)
      .map((name) => `function ${entry.name}: environment variable ${name} is not set`),
  )
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In, key: string) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, env[name]] as const)
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
