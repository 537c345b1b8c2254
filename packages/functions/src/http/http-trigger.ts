import { z } from 'zod'

/** Methods that a function may answer. */
export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A method that a function may answer. */
export type HttpMethod = (typeof HTTP_METHODS)[number]

/** Which requests a function answers. */
export interface HttpTrigger {
  /** One method, or several; `GET` answers `HEAD` too. @default all of them */
  method?: HttpMethod | readonly HttpMethod[] | undefined
  /** Such as `/orders/:id`: `:name` is one part of the path, a last `*` the rest. What they stand for is in `ctx.params`. */
  path: string
  /** Who may ask: those with the `token` of the server, or everyone (`none`). @default 'token' */
  auth?: 'token' | 'none' | undefined
  /** Largest body of a request, in bytes; more is answered with 413. @default 1_048_576 (1 MiB) */
  bodyLimitBytes?: number | undefined
  /**
   * Whether each request is kept as an event of the type `nexus.http.<name>` once it is answered, with `data: { method, url, status,
   * durationMs }`. Headers and bodies are not kept. @default false
   */
  journal?: boolean | undefined
}

const method = z.enum(HTTP_METHODS)

/** Checks an {@link HttpTrigger} and fills in defaults. */
export const httpTriggerSchema = z.strictObject({
  method: z
    .union([method, z.array(method).min(1)])
    .optional()
    .meta({ description: 'Methods that it answers; all of them by default.' }),
  path: z
    .string()
    .max(512)
    .regex(
      /^\/(?:(?::[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9._~-]+)(?:\/(?::[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9._~-]+))*)?(?:(?<=\/)\*|\/\*)?$/,
      'expected a path such as /orders/:id, of which a last part * is the rest',
    )
    .refine(
      (path) => !/^\/(?:api|metrics|healthz|readyz)(?:\/|$)/.test(path),
      'expected a path outside of /api, /metrics, /healthz and /readyz, which are those of the server',
    )
    .meta({ description: 'Such as /orders/:id; a last part * is the rest of the path.' }),
  auth: z.enum(['token', 'none']).default('token').meta({
    description: 'Who may ask: those with the token of the server, or everyone.',
  }),
  bodyLimitBytes: z.int().min(0).default(1_048_576).meta({
    description: 'Largest body of a request; more is answered with 413.',
  }),
  journal: z.boolean().default(false).meta({
    description: 'Whether each request is kept as an event, once it is answered.',
  }),
})

/** {@link HttpTrigger} with defaults filled in. */
export type ResolvedHttpTrigger = z.output<typeof httpTriggerSchema>
