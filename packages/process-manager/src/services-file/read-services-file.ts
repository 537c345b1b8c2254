import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { ProcessManagerError } from '../errors.js'
import { parseDefinition } from '../service/definition-schema.js'
import type { ServiceDefinition } from '../service/service.js'

/** A service in a file: a definition without its name, with paths relative to the file. */
export interface ServiceEntry extends Omit<ServiceDefinition, 'name'> {
  /** A file of `NAME=value` lines; `env` is on top of it. */
  envFile?: string | undefined
}

const text = z.string().min(1)
const fileSchema = z.strictObject({
  services: z.record(
    z.string(),
    z.looseObject({
      script: text,
      cwd: text.optional(),
      watch: z.array(text).optional(),
      env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      envFile: text.optional(),
    }),
  ),
})

/**
 * Reads a file that lists services, YAML or JSON: `services:` with a definition under each name.
 *
 * @throws ProcessManagerError `INVALID_DEFINITION`, naming everything that is wrong and unknown in it
 */
export async function readServicesFile(path: string): Promise<ServiceDefinition[]> {
  const { services } = await parseFile(path)
  const problems: string[] = []
  const definitions = Object.entries(services).flatMap(([name, entry]) => {
    try {
      return [definitionOf(name, entry, dirname(resolve(path)))]
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`)
      return []
    }
  })
  if (problems.length > 0) throw invalid(path, problems)
  return definitions
}

async function parseFile(path: string): Promise<z.output<typeof fileSchema>> {
  // Most users of this package read no such file.
  const { parse } = await import('yaml')
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw invalid(path, [(error as Error).message], error)
  }
  const result = fileSchema.safeParse(content)
  if (result.success) return result.data
  throw invalid(
    path,
    result.error.issues.map(({ path: at, message }) =>
      at.length === 0 ? message : `${at.join('.')}: ${message}`,
    ),
  )
}

function definitionOf(
  name: string,
  { envFile, env, ...entry }: z.output<typeof fileSchema>['services'][string],
  directory: string,
): ServiceDefinition {
  const given = Object.entries(env ?? {}).map(([key, value]) => [key, String(value)])
  const fromFile = envFile === undefined ? {} : readEnvFile(resolve(directory, envFile))
  const variables = { ...fromFile, ...Object.fromEntries(given) }
  return parseDefinition({
    ...entry,
    name,
    script: resolve(directory, entry.script),
    ...(entry.cwd === undefined ? {} : { cwd: resolve(directory, entry.cwd) }),
    ...(entry.watch === undefined
      ? {}
      : { watch: entry.watch.map((watched) => resolve(directory, watched)) }),
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
  })
}

/**
 * Reads a file of `NAME=value` lines.
 *
 * @throws ProcessManagerError `INVALID_DEFINITION`
 */
export function readEnvFile(path: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>
  } catch (error) {
    throw invalid(path, [(error as Error).message], error, 'expected lines of NAME=value')
  }
}

function invalid(
  path: string,
  problems: readonly string[],
  cause?: unknown,
  expected = 'expected what defines services',
) {
  return new ProcessManagerError(
    'INVALID_DEFINITION',
    `${path}: ${expected}. ${problems.join('; ')}`,
    { details: { path, problems }, cause },
  )
}
