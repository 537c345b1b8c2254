import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import type { Loader } from 'esbuild'
import type { ImportGate, Located } from '../import-gate/import-gate.js'
import { ImportRefusal } from '../import-gate/import-refusal.js'

const SCRIPT_LOADERS: Record<string, Loader> = {
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.json': 'json',
}

const DATA_LOADERS: Record<string, Loader> = {
  'text/javascript': 'js',
  'application/javascript': 'js',
  'application/json': 'json',
  'text/plain': 'text',
}

/** Longest `data:` URL, in UTF-16 code units. */
const MAX_DATA_URL_LENGTH = 8 * 1024 * 1024

/** One module of a bundle: a file that the gate found, or the content of a `data:` URL. */
export interface SourceModule {
  /** How errors and source maps call it. */
  name: string
  located?: Located
  content?: Buffer
}

/**
 * The module that a `data:` URL holds.
 *
 * @throws ImportRefusal `specifier` when it cannot be one
 */
export function moduleOfDataUrl(url: string): SourceModule {
  const [, type = '', flags = '', body] =
    url.length > MAX_DATA_URL_LENGTH ? [] : (/^data:([^,;]*)((?:;[^,;]*)*),(.*)$/s.exec(url) ?? [])
  const mime = type.trim().toLowerCase()
  if (body === undefined || !(mime in DATA_LOADERS)) throw new ImportRefusal('specifier')
  const isBase64 = /;\s*base64$/i.test(flags)
  const digest = createHash('sha256').update(url).digest('hex').slice(0, 16)
  return {
    name: `data:${mime};${digest}`,
    content: isBase64 ? fromBase64(body) : fromPercent(body),
  }
}

/**
 * How esbuild reads a module.
 *
 * @param attributes of the import, as in `with { type: 'text' }`
 * @throws ImportRefusal `attribute`, `kind`
 */
export function loaderOf(
  { name, located }: SourceModule,
  attributes: Record<string, string>,
  gate: ImportGate,
): Loader {
  const loader = loaderByAttribute(attributes) ?? loaderByName(name, located)
  if (located && (loader === 'text' || loader === 'binary') && !gate.isInRoot(located.path)) {
    throw new ImportRefusal('attribute')
  }
  return loader
}

function loaderByAttribute({ type, ...others }: Record<string, string>): Loader | undefined {
  if (Object.keys(others).length > 0)
    throw new ImportRefusal('kind', 'expected no attribute but type')
  if (type === undefined) return undefined
  if (type === 'json' || type === 'text') return type
  if (type === 'bytes') return 'binary'
  throw new ImportRefusal('kind', 'expected the type json, text or bytes')
}

function loaderByName(name: string, located: Located | undefined): Loader {
  const extension = located ? extname(located.path).toLowerCase() : ''
  const loader = located
    ? (SCRIPT_LOADERS[extension] ?? (extension === '.txt' ? 'text' : undefined))
    : DATA_LOADERS[/^data:([^;]*)/.exec(name)?.[1] ?? '']
  if (loader === undefined) throw new ImportRefusal('kind')
  return loader
}

function fromBase64(body: string): Buffer {
  return Buffer.from(decodePercent(body), 'base64')
}

function fromPercent(body: string): Buffer {
  return Buffer.from(decodePercent(body))
}

function decodePercent(body: string): string {
  try {
    return decodeURIComponent(body)
  } catch {
    throw new ImportRefusal('specifier')
  }
}
