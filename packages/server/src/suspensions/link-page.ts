import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:.75rem}button{font:inherit;padding:.5rem 1.5rem}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/**
 * Nothing runs on these pages, nothing is loaded, no other page frames them, and their one form goes to their own address. Their
 * addresses are secrets: no other site hears of them. The form says where it comes from, so `no-referrer` would be too little.
 */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'same-origin',
  'x-robots-tag': 'noindex',
} as const

/** Answers with a page of plain HTML; `body` is HTML, made with {@link escaped}. */
export function sendPage(reply: FastifyReply, status: number, title: string, body: string) {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style>`
  const page = `<!doctype html><html lang="en"><head>${head}</head><body><h1>${escaped(title)}</h1>${body}</body></html>\n`
  return reply.code(status).headers(HEADERS).send(page)
}

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
