import { z } from 'zod'

/** How a sender signs its webhooks; see {@link WebhookOptions.scheme}. */
export type WebhookScheme = 'standard-webhooks' | 'github' | 'stripe' | 'hmac'

/** Options of {@link Webhook}. */
export interface WebhookOptions {
  /**
   * `standard-webhooks`: standardwebhooks.com, sent by Svix and many others. `github`: `x-hub-signature-256`. `stripe`:
   * `stripe-signature`. `hmac`: the HMAC-SHA256 of the body, as hex or base64, in a header of its own.
   */
  scheme: WebhookScheme
  /** Each may have signed: two while a secret is being replaced. Each of at least 8 characters. */
  secrets: readonly [string, ...string[]]
  /** Type of its events, or the start of their types: what a sender calls an event is put behind it. */
  type: string
  /** `source` of its events; ids are unique within it. @default '/webhooks' */
  source?: string | undefined
  /** How far the time of a signature may be from now (`standard-webhooks`, `stripe`). @default 300_000 (5 minutes) */
  toleranceMs?: number | undefined
  /** Header with the signature (`hmac` only). @default 'x-signature' */
  signatureHeader?: string | undefined
  /** Header with the sender's name of the event (`hmac` only), put behind `type`. @default none */
  typeHeader?: string | undefined
}

export interface ResolvedWebhookOptions extends WebhookOptions {
  source: string
  toleranceMs: number
}

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, 'expected the name of an HTTP header')
  .transform((name) => name.toLowerCase())

const secret = z
  .string()
  .min(8, 'expected a secret of at least 8 characters')
  .refine((text) => text.trim() === text, 'expected a secret without spaces around it')

const onlyHmac = 'expected only with the scheme hmac: the other schemes say which header it is'

/** Checks {@link WebhookOptions} and fills in defaults. */
export const webhookSchema = z
  .strictObject({
    scheme: z.enum(['standard-webhooks', 'github', 'stripe', 'hmac']).meta({
      description: 'How the sender signs: hmac is the HMAC-SHA256 of the body in a header.',
    }),
    secrets: z.tuple([secret], secret),
    type: z.string().min(1).max(400).meta({
      description:
        'Type of its events, or the start of their types: what the sender calls an event is put behind it.',
    }),
    source: z.string().min(1).max(512).default('/webhooks'),
    toleranceMs: z.int().min(1000).max(86_400_000).default(300_000).meta({
      description: 'How far the time of a signature may be from now (standard-webhooks, stripe).',
    }),
    signatureHeader: headerName.optional().meta({
      description: 'Header with the signature (hmac only); x-signature when left out.',
    }),
    typeHeader: headerName.optional().meta({
      description: "Header with the sender's name of the event (hmac only), put behind type.",
    }),
  })
  .refine(({ scheme, signatureHeader }) => scheme === 'hmac' || signatureHeader === undefined, {
    path: ['signatureHeader'],
    message: onlyHmac,
  })
  .refine(({ scheme, typeHeader }) => scheme === 'hmac' || typeHeader === undefined, {
    path: ['typeHeader'],
    message: onlyHmac,
  }) satisfies z.ZodType<ResolvedWebhookOptions, WebhookOptions>
