import { resolve } from 'node:path'
import { type DataKeyOptions, dataKeySchema } from '@nexus/event-bus'
import { type ImageKeyOptions, imageKeySchema } from '@nexus/executor'
import { z } from 'zod'
import { RuntimeError } from '../errors.js'
import { LOG_LEVELS } from './schema.js'

const count = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number)

/** The current key, and with commas behind it the keys of the time before. */
const keys = z.string().transform((text): z.input<typeof dataKeySchema> => {
  const [current = '', ...previous] = text.split(',').map((key) => key.trim())
  return { current, previous }
})

/** Environment variables that take precedence over the file, and the ones too secret for it. */
const variables = z.object({
  NEXUS_HOST: z.string().optional(),
  NEXUS_PORT: count.pipe(z.int().max(65_535)).optional(),
  NEXUS_TOKEN: z.string().min(16, 'expected at least 16 characters').optional(),
  NEXUS_BUS_URL: z.string().optional(),
  NEXUS_DATA_KEY: keys.pipe(dataKeySchema).optional(),
  NEXUS_IMAGE_KEY: keys.pipe(imageKeySchema).optional(),
  NEXUS_LINK_KEY: keys.pipe(imageKeySchema).optional(),
  NEXUS_DATA_DIR: z.string().optional(),
  CACHE_DIR: z.string().optional(),
  MAX_CACHE_SIZE_BYTES: count.pipe(z.int().min(1)).optional(),
  HANDLER_TIMEOUT_MS: count.pipe(z.int().min(1)).optional(),
  NEXUS_LOG_LEVEL: z.enum(LOG_LEVELS).optional(),
  PERFORMANCE_ENABLED: z.stringbool('expected true or false').optional(),
  PERFORMANCE_PROFILE_INTERVAL: count.pipe(z.int().max(2 ** 31 - 1)).optional(),
  PERFORMANCE_RETENTION: count
    .pipe(
      z
        .int()
        .min(1)
        .max(2 ** 31 - 1),
    )
    .optional(),
})

/** What the environment says; `undefined` where it says nothing. */
export interface EnvironmentSettings {
  host: string | undefined
  port: number | undefined
  token: string | undefined
  /** May hold a password. */
  busUrl: string | undefined
  /** Encrypts what the local bus keeps; older keys only decrypt. */
  dataKey: DataKeyOptions | undefined
  /** Encrypts images of suspended calls; older keys only decrypt. */
  imageKey: ImageKeyOptions | undefined
  /** Signs links that resume calls; older keys only check them. */
  linkKey: ImageKeyOptions | undefined
  /** Absolute. */
  dataDir: string | undefined
  /** Absolute. */
  cacheDir: string | undefined
  maxCacheSizeBytes: number | undefined
  handlerTimeoutMs: number | undefined
  logLevel: (typeof LOG_LEVELS)[number] | undefined
  /** Turns profiles, optimizations and metrics of pages on or off together. */
  performanceEnabled: boolean | undefined
  profileIntervalMs: number | undefined
  metricsRetentionMs: number | undefined
}

/**
 * Reads the settings of `env`. A variable that is set but empty counts as not set; paths are relative to
 * the working directory.
 *
 * @param mistakes takes a `CONFIG_INVALID` for each variable that is wrong, which then counts as not set
 */
export function readEnvironment(
  env: NodeJS.ProcessEnv,
  mistakes: RuntimeError[],
): EnvironmentSettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const wrong = new Map<string, string>()
  for (const { path, message } of variables.safeParse(given).error?.issues ?? []) {
    wrong.set(String(path[0]), message)
  }
  for (const [name, message] of wrong) {
    // The value may be a secret: it is not repeated.
    mistakes.push(new RuntimeError('CONFIG_INVALID', `environment variable ${name}: ${message}`))
    delete given[name]
  }
  const data = variables.parse(given)
  const path = (value: string | undefined) => (value === undefined ? undefined : resolve(value))
  return {
    host: data.NEXUS_HOST,
    port: data.NEXUS_PORT,
    token: data.NEXUS_TOKEN,
    busUrl: data.NEXUS_BUS_URL,
    dataKey: data.NEXUS_DATA_KEY,
    imageKey: data.NEXUS_IMAGE_KEY,
    linkKey: data.NEXUS_LINK_KEY,
    dataDir: path(data.NEXUS_DATA_DIR),
    cacheDir: path(data.CACHE_DIR),
    maxCacheSizeBytes: data.MAX_CACHE_SIZE_BYTES,
    handlerTimeoutMs: data.HANDLER_TIMEOUT_MS,
    logLevel: data.NEXUS_LOG_LEVEL,
    performanceEnabled: data.PERFORMANCE_ENABLED,
    profileIntervalMs: data.PERFORMANCE_PROFILE_INTERVAL,
    metricsRetentionMs:
      data.PERFORMANCE_RETENTION === undefined ? undefined : data.PERFORMANCE_RETENTION * 1000,
  }
}
